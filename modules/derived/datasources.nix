# Data sources for dashboards. The uid is the declared name, which dashboards refer to.
{ lib, config, ... }:
let
  endpoint = import ../endpoint.nix lib;
in
{
  homelab.derived.datasources = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      lib.mapAttrsToList (uid: source: {
        inherit uid;
        inherit (source) type jsonData;
        service = name;
        isDefault = source.default;
        url = "${service.scheme}://${endpoint service.bind service.port}";
      }) service.datasources
    ) config.homelab.enabledServices
  );
}
