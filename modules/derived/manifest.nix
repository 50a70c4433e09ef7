# What a deploy has to know about this system, in machine.json's names. It is in the closure as
# well, for a rollback and for a closure that was built elsewhere.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;
in
{
  homelab.manifest = {
    version = 1;
    inherit (config.homelab.derived) checks;
    rollback.services = lib.mapAttrs (_: service: service.rollback) services;
    units = { inherit (config.deploy.units) advisory deciding; };
    beforeActivate = lib.concatLists (
      lib.mapAttrsToList (
        service: entry:
        lib.optional (entry.beforeActivate != null) {
          inherit service;
          inherit (entry.beforeActivate) argv timeout;
        }
      ) services
    );
    secrets = config.homelab.secrets.manifest;
  };

  environment.etc."deploy-agent/manifest.json".text = builtins.toJSON config.homelab.manifest;
}
