# A bootable image in the shape of NixOS's installer: what `deploy iso` builds and finishes.
derivation {
  name = "installer-iso";
  system = "x86_64-linux";
  builder = "/bin/sh";
  args = [ "-eu" ./package.sh ];
  PATH = "/usr/bin:/bin:/usr/sbin:/sbin";
  init = ./init;
}
