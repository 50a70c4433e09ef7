# One path of a site, with its upstream. A missing target has no upstream; modules/policy/routes.nix
# reports it.
{ lib, services }:
let
  endpoint = import ../endpoint.nix lib;
  paths = import ../paths.nix lib;
  none = {
    bind = null;
    port = null;
    protocol = "tcp";
  };
in
name: site: path:
let
  route = site.routes.${path};
  own = services.${name};
  service = if route.service == null then name else route.service;
  target = services.${service} or null;
  place =
    if target == null then
      none
    else if route.port == null then
      {
        inherit (target) bind port;
        protocol = "tcp";
      }
    else
      target.extraPorts.${route.port} or none;
  prefix = paths.base path;

  # A login is required if the site's service or the route's service wants one. The paths that
  # bypass the login are the service's own.
  auth =
    if target == null || (target.auth.kind != "forward" && own.auth.kind == "forward") then
      own.auth
    else if route.stripPrefix then
      target.auth // { bypassPaths = map (bypass: "${prefix}${bypass}") target.auth.bypassPaths; }
    else
      target.auth;
  # The paths that the service's sites pass on, as the proxy sees them.
  sitePaths = if target == null then null else target.access.sitePaths;
in
{
  inherit path service auth;
  allowed = lib.mapNullable (lib.concatMap (
    allowed:
    if !route.stripPrefix then
      paths.patterns allowed
    else
      lib.optional (allowed == "/") prefix ++ map (pattern: "${prefix}${pattern}") (paths.patterns allowed)
  )) sitePaths;
  patterns = paths.patterns path;
  inherit (route) deny;
  audience = if route.audience == null then site.audience else route.audience;
  upstream =
    if place.port == null || place.protocol != "tcp" then
      null
    else
      "${target.scheme}://${endpoint place.bind place.port}";
  stripPrefix = if route.stripPrefix then prefix else null;
  proxy = (if target == null then own else target).proxy;
}
