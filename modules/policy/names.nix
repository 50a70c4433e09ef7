# Names that become parts of unit names, file names and labels.
{ lib, config, ... }:
let
  bad = lib.filterAttrs (
    name: _: builtins.match "[a-z]([a-z0-9-]*[a-z0-9])?" name == null
  ) config.homelab.services;
  portless = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      lib.mapAttrsToList (entry: _: "homelab.services.${name}.metrics.${entry}.port") (
        lib.filterAttrs (_: metrics: metrics.port == 0) service.metrics
      )
      ++ lib.mapAttrsToList (entry: _: "homelab.services.${name}.health.${entry}.kind") (
        lib.filterAttrs (
          _: check: (lib.head (lib.attrValues check.kind)).port or 1 == 0
        ) service.health
      )
    ) config.homelab.enabledServices
  );
in
{
  assertions =
    lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "`${name}` is no name for a service: use lower case letters, digits and dashes in homelab.services";
    }) bad
    ++ map (option: {
      assertion = false;
      message = "${option} needs a port: set it there, or the service's own port";
    }) portless;
}
