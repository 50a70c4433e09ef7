# The virtual host of one derived site.
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
    # A site that is covered by the order for `*.domain` uses that certificate.
    plugin = lib.optionals (site.certificate == null || site.certificate == site.host) order;
  };

  block = head: lines: [ "${head} {" ] ++ map (line: "  ${line}") lines ++ [ "}" ];

  # Only the first `handle` that matches runs. Inside it, `route` keeps the order.
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
  # The default is a file for each site, which would not be in the journal.
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
