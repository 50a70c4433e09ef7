# What an installation would have done: the store's image is registered in Nix's database, and the
# system gets its first generation, without which a garbage collection would remove it. Once for a
# disk: what was deleted since must not count as valid again.
{ config, lib, ... }:
{
  systemd.services.deploy-vm-first-boot = {
    description = "Register the system that the disk was made with";
    wantedBy = [ "sysinit.target" ];
    after = [ "local-fs.target" ];
    before = [
      "sysinit.target"
      "shutdown.target"
      "nix-daemon.socket"
      "nix-daemon.service"
    ];
    conflicts = [ "shutdown.target" ];
    unitConfig = {
      DefaultDependencies = false;
      ConditionPathExists = "!/nix/var/nix/deploy-vm-registered";
      RequiresMountsFor = "/nix/store";
    };
    restartIfChanged = false;
    path = [ config.nix.package ];
    script = ''
      for word in $(cat /proc/cmdline); do
        case $word in
          deploy.registration=*) registration=''${word#*=} ;;
        esac
      done
      # Another start than that of `deploy vm` names none.
      [ -n "''${registration-}" ] || exit 0
      nix-store --load-db < "$registration"
      nix-env --profile /nix/var/nix/profiles/system --set "$(readlink /run/current-system)"
      touch /nix/var/nix/deploy-vm-registered
      sync -f /nix/var/nix
    '';
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
    };
  };
}
