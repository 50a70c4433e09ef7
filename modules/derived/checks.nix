# The checks of machine.json: the declared ones of each service, and one for each of its units,
# sites and certificates.
{ lib, config, ... }:
let
  paths = import ../paths.nix lib;
  inherit (config.homelab) tls proxy;

  check =
    {
      service,
      name,
      level ? "required",
      grace ? 30,
      kind,
    }:
    {
      name = "${service}.${name}";
      inherit
        service
        level
        grace
        kind
        ;
    };

  unitCheck =
    name: service: unit:
    check {
      service = name;
      name = "unit.${unit}";
      inherit (service.unitCheck) level grace;
      kind = {
        type = "unit";
        inherit unit;
      };
    };

  # The kind is an attribute set with one name; machine.json writes it as `type`.
  declaredCheck =
    service: name: declared:
    let
      type = lib.head (lib.attrNames declared.kind);
    in
    check {
      inherit service;
      inherit (declared) level grace;
      name = "health.${name}";
      kind = {
        inherit type;
      }
      // declared.kind.${type};
    };

  # Through the proxy and by name, which is what people see.
  throughProxy =
    site: name: answer:
    check {
      inherit (site) service;
      inherit name;
      grace = 60;
      kind = {
        type = "http";
        address = "127.0.0.1";
        port = proxy.httpsPort;
        inherit (site) host;
        sni = site.host;
        inherit (answer) path status contains;
      };
    };

  siteCheck =
    entry: site:
    throughProxy site "site.${site.host}" entry.siteCheck // { inherit (entry.siteCheck) level grace; };

  # A path that nobody may reach is checked too, because it could be opened by mistake.
  denialCheck =
    site: route:
    throughProxy site "denied.${site.host}${route.path}" {
      path = paths.probe route.path (map (other: other.path) site.routes);
      status = route.deny;
      contains = null;
    };

  # So is a path that a site does not pass on. `entry` is the site or one of its routes.
  closedCheck =
    site: entry:
    let
      below = if entry ? path then paths.base entry.path else "";
      path = "${below}/-/closed";
    in
    lib.optional
      (
        entry.allowed != null
        && entry.auth.kind != "forward"
        && (entry.deny or null) == null
        && lib.hasSuffix "*" (entry.path or "*")
        && paths.find path entry.allowed == null
        && paths.find path (map (other: other.path) site.routes) == entry.path or null
      )
      (
        throughProxy site "closed.${site.host}${entry.path or ""}" {
          inherit path;
          status = 403;
          contains = null;
        }
      );

  # The check compares the issuer, because a self-signed certificate would answer as well. It
  # decides only once a first certificate was issued, because an order takes minutes.
  certificateCheck =
    entry: site:
    check {
      inherit (site) service;
      name = "certificate.${site.host}";
      level = if entry.certificateCheck.level == null then tls.checkLevel else entry.certificateCheck.level;
      grace = 60;
      kind = {
        type = "certificate";
        address = "127.0.0.1";
        port = proxy.httpsPort;
        sni = site.host;
        inherit (tls) issuer;
      };
    };

  checksOf =
    name: service:
    let
      sites = lib.filter (site: site.service == name) config.homelab.derived.sites;
    in
    map (unitCheck name service) service.units
    ++ lib.mapAttrsToList (declaredCheck name) (lib.filterAttrs (_: check: check.enable) service.health)
    ++ map (siteCheck service) (lib.optionals service.siteCheck.enable sites)
    ++ lib.concatMap (
      site: map (denialCheck site) (lib.filter (route: route.deny != null) site.routes)
    ) sites
    ++ lib.concatMap (site: lib.concatMap (closedCheck site) ([ site ] ++ site.routes)) sites
    ++ map (certificateCheck service) (lib.optionals service.certificateCheck.enable sites);
in
{
  homelab.derived.checks = lib.concatLists (
    lib.mapAttrsToList checksOf config.homelab.enabledServices
  );
}
