# One virtual host out of one derived site.
{
  lib,
  proxy,
  tls,
}:
site:
let
  behind = import ./behind.nix { inherit lib proxy; };

  order = import ./order.nix { inherit lib tls; };

  certificate = {
    acme = [ ];
    internal = [ "tls internal" ];
    # One that `*.domain` is ordered for takes that certificate.
    plugin = lib.optionals (site.certificate == null || site.certificate == site.host) order;
  };

  block = head: lines: [ "${head} {" ] ++ map (line: "  ${line}") lines ++ [ "}" ];

  # Of several `handle` one runs, the first that fits. Inside, `route` keeps the order.
  handle =
    index: entry:
    let
      matcher = "@path${toString index}";
    in
    [ "${matcher} path ${lib.concatStringsSep " " entry.patterns}" ]
    ++ block "handle ${matcher}" (
      if entry.deny != null then [ "respond ${toString entry.deny}" ] else block "route" (behind entry)
    );

  routes = lib.concatLists (lib.imap0 handle site.routes);
  rest = behind site;
in
{
  # The default is a file per site, which no journal ever sees.
  logFormat = ''
    output stderr
    format json
  '';
  extraConfig = lib.concatStringsSep "\n" (
    certificate.${tls.mode}
    ++ lib.optional (site.upstream != null && site.proxy.extraConfig != "") site.proxy.extraConfig
    ++ block "route" (if routes == [ ] then rest else routes ++ block "handle" (block "route" rest))
  );
}
// lib.optionalAttrs (tls.mode == "acme") { useACMEHost = site.certificate; }
