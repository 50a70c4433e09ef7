# Paths of sites: each one leads somewhere or is closed, and no path bypasses a login by accident.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;
  paths = import ../paths.nix lib;
  inherit (config.homelab) derived;

  # Every route with its site, both as derived and as declared.
  all = lib.concatMap (
    site:
    map (
      route:
      route
      // {
        owner = site.service;
        siteAudience = site.audience;
        declared =
          services.${site.service}.sites.${site.host}.routes.${route.path};
        option = "the route `${route.path}` of ${site.host} in homelab.services.${site.service}.sites";
      }
    ) site.routes
  ) derived.sites;
  denying = lib.filter (route: route.deny != null) all;
  passing = lib.filter (route: route.deny == null) all;

  goesOn =
    { declared, ... }:
    declared.service != null || declared.port != null || declared.stripPrefix || declared.audience != null;
  isKnown = route: services ? ${route.service};

  nowhere = lib.filter (route: isKnown route && route.upstream == null) passing;
  # exposure.nix checks the site's own service.
  open = lib.filter (
    route:
    isKnown route
    && route.audience == "public"
    && route.auth.kind == "none"
    && !(route.service == route.owner && route.siteAudience == "public")
  ) passing;

  # A site that would refuse its own check.
  deniedChecks = lib.filter (
    site:
    let
      inherit (services.${site.service}) siteCheck;
      found = paths.find siteCheck.path (map (route: route.path) site.routes);
      route = lib.findFirst (entry: entry.path == found) null site.routes;
    in
    route != null && route.deny != null && route.deny != siteCheck.status
  ) derived.sites;
in
{
  assertions =
    map (route: {
      assertion = false;
      message = "`${route.path}` is no path: write it as /x, /x* or /x/*, in lower case, in ${route.option}";
    }) (lib.filter (route: !paths.isValid route.path) all)
    ++ map (route: {
      assertion = false;
      message = "${route.option} goes to ${route.service}, which is no enabled service: change its `service`, or declare homelab.services.${route.service}";
    }) (lib.filter (route: !isKnown route) passing)
    ++ map (route: {
      assertion = false;
      message = "nothing is behind ${route.option}: ${
        if route.declared.port == null then
          "set homelab.services.${route.service}.port"
        else
          "homelab.services.${route.service}.extraPorts.${route.declared.port} is no TCP port of it"
      }, or change the route's `service` or `port`";
    }) nowhere
    ++ map (route: {
      assertion = false;
      message = "${route.option} denies, and says who may pass: leave out `deny`, or `service`, `port`, `stripPrefix` and `audience`";
    }) (lib.filter goesOn denying)
    ++ map (route: {
      assertion = false;
      message = "${route.option} does what the site does: set its `service`, `port`, `audience` or `deny`, or leave it out";
    }) (lib.filter (route: !goesOn route) passing)
    ++ map (route: {
      assertion = false;
      message = "${route.option} is public and has no login: set homelab.services.${route.service}.auth.kind to native or forward, or its `audience`";
    }) open
    ++ map (site: {
      assertion = false;
      message = "the deploy asks ${site.host} for ${services.${site.service}.siteCheck.path}, which a route denies: change homelab.services.${site.service}.siteCheck.path, or the route";
    }) deniedChecks;
}
