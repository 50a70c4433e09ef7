# Dashboard files, each under a name that no other service's dashboard has.
{ lib, config, ... }:
{
  homelab.derived.dashboards = lib.concatMapAttrs (
    name: service: lib.mapAttrs' (board: lib.nameValuePair "${name}-${board}.json") service.dashboards
  ) config.homelab.enabledServices;
}
