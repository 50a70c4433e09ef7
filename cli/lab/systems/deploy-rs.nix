# A profile as deploy-rs's `activate.nixos` makes it: everything of the toplevel by links,
# beside the two scripts. `activate` is the path of deploy-rs's own `activate` program on
# the target; `script` replaces the stock activation, for profiles that are not NixOS's.
{ activate ? "/usr/local/bin/activate", script ? null }:
nixos:
let
  inherit (nixos) config;
  base = config.system.build.toplevel;
  unsetDefault =
    if config.boot.loader.systemd-boot.enable then
      "sed -i '/^default /d' ${config.boot.loader.efi.efiSysMountPoint}/loader/loader.conf"
    else
      "";
  stock = ''
    # work around a switch that is started in a folder that goes away
    cd /tmp

    $PROFILE/bin/switch-to-configuration switch

    # the newest generation is the default of systemd-boot without this line
    ${unsetDefault}
  '';
in
derivation {
  name = "activatable-${base.name}";
  inherit (base) system;
  builder = "/bin/sh";
  args = [ "-eu" ./activatable.sh ];
  PATH = "/usr/bin:/bin";
  inherit base;
  activateRs = activate;
  script = if script == null then stock else script;
  dry = if script == null then "$PROFILE/bin/switch-to-configuration dry-activate" else "echo ${builtins.toFile "activate" script}";
  boot = if script == null then "$PROFILE/bin/switch-to-configuration boot" else "echo ${builtins.toFile "activate" script}";
  preferLocalBuild = true;
  allowSubstitutes = false;
}
