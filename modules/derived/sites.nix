# Host names, in order of service and declaration.
{ lib, config, ... }:
let
  endpoint = import ../endpoint.nix lib;
  routeOf = import ./route.nix {
    inherit lib;
    services = config.homelab.enabledServices;
  };
  paths = import ../paths.nix lib;
  inherit (config.homelab) tls proxy fleet;

  # The declared domain whose certificate, for `*.domain` and `domain`, covers this host.
  covering =
    host:
    lib.findFirst (
      domain:
      host == domain
      || (lib.hasSuffix ".${domain}" host && !lib.hasInfix "." (lib.removeSuffix ".${domain}" host))
    ) null tls.domains;

  publicPort = lib.optionalString (proxy.publicPort != 443) ":${toString proxy.publicPort}";

  siteOf = name: service: site: {
    service = name;
    inherit (site) host audience;
    url = "https://${site.host}${publicPort}";
    certificate = covering site.host;
    upstream =
      if service.port == null then
        null
      else
        "${service.scheme}://${endpoint service.bind service.port}";
    inherit (service) auth proxy;
    allowed = lib.mapNullable (lib.concatMap paths.patterns) service.access.sitePaths;
    routes = map (routeOf name site) (paths.sort (lib.attrNames site.routes));
  };
in
{
  # Behind another machine's proxy, the sites belong to that machine.
  homelab.derived.sites = lib.optionals (lib.elem fleet.gateway [ null fleet.name ]) (lib.concatLists (
    lib.mapAttrsToList (
      name: service: map (siteOf name service) service.siteList
    ) config.homelab.enabledServices
  ));
}
