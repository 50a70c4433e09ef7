# What starts a system of the lab as a virtual machine: the package that `deploy vm` builds, as
# nixosModules.vm makes it of NixOS's parts.
toplevel:
derivation {
  name = "vm";
  system = "x86_64-linux";
  builder = "/bin/sh";
  args = [ "-eu" ./package.sh ];
  PATH = "/usr/bin:/bin";
  inherit toplevel;
}
