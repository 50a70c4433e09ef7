# Tiles by group, for services that people can open.
{ lib, config, ... }:
let
  endpoint = import ../endpoint.nix lib;
  visible = lib.filterAttrs (
    name: service: service.tile.enable && lib.any (site: site.service == name) config.homelab.derived.sites
  ) config.homelab.enabledServices;

  urlOf =
    name: (lib.findFirst (site: site.service == name) null config.homelab.derived.sites).url;

  tileOf = name: service: {
    inherit name;
    inherit (service)
      title
      description
      icon
      group
      weight
      widget
      ;
    href = urlOf name;
    # The start page's server sends the requests, so loopback is right and needs no login.
    monitor =
      if service.port == null then
        null
      else
        "${service.scheme}://${endpoint service.bind service.port}${service.siteCheck.path}";
  };
  tiles = lib.mapAttrsToList tileOf visible;
in
{
  homelab.derived.tiles = lib.mapAttrs (_: lib.sort (a: b: a.weight < b.weight || (a.weight == b.weight && a.title < b.title))) (
    lib.groupBy (tile: tile.group) tiles
  );
}
