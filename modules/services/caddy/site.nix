# One virtual host out of one derived site.
{
  lib,
  proxy,
  tls,
}:
site:
let
  loopback = [
    "127.0.0.0/8"
    "::1"
  ];
  ranges = {
    lan = loopback ++ proxy.lanRanges ++ proxy.tailnetRanges;
    tailnet = loopback ++ proxy.tailnetRanges;
  };

  audience = lib.optionals (site.audience != "public") [
    "@outside not remote_ip ${lib.concatStringsSep " " ranges.${site.audience}}"
    "respond @outside 403"
  ];

  forward = lib.optionals (site.auth.kind == "forward") (
    [
      "@guarded not path ${
        lib.concatStringsSep " " (if site.auth.bypassPaths == [ ] then [ "/-none-" ] else site.auth.bypassPaths)
      }"
      "forward_auth @guarded ${toString proxy.forwardAuth.url} {"
      "  uri ${proxy.forwardAuth.uri}"
    ]
    ++ lib.optional (proxy.forwardAuth.copyHeaders != [ ]) "  copy_headers ${lib.concatStringsSep " " proxy.forwardAuth.copyHeaders}"
    ++ [ "}" ]
  );

  upstream = [
    "reverse_proxy ${site.upstream} {"
  ]
  ++ lib.optional site.proxy.streaming "  flush_interval -1"
  ++ lib.mapAttrsToList (name: value: "  header_up ${name} ${builtins.toJSON value}") site.proxy.headersUp
  ++ lib.optionals site.proxy.insecureUpstream [
    "  transport http {"
    "    tls_insecure_skip_verify"
    "  }"
  ]
  ++ [ "}" ];

  certificate = {
    acme = [ ];
    internal = [ "tls internal" ];
    plugin = [
      "tls {"
      "  dns ${tls.dnsProvider} {env.DNS_API_TOKEN}"
      "  resolvers ${lib.head (lib.splitString ":" tls.dnsResolver)}"
      "}"
    ];
  };

  indent = map (line: "  ${line}");
  lines =
    certificate.${tls.mode}
    ++ lib.optionals (site.proxy.maxBody != null) [
      "request_body {"
      "  max_size ${site.proxy.maxBody}"
      "}"
    ]
    ++ lib.optional (site.proxy.extraConfig != "") site.proxy.extraConfig
    # `route` keeps the order: strangers are sent away before anybody asks who
    # they are. Proof: nix/tests/sites.nix.
    ++ lib.optionals (site.upstream != null) (
      [ "route {" ] ++ indent (audience ++ forward ++ upstream) ++ [ "}" ]
    );
in
{
  # The default is a file per site, which no journal ever sees.
  logFormat = ''
    output stderr
    format json
  '';
  extraConfig = lib.concatStringsSep "\n" lines;
}
// lib.optionalAttrs (tls.mode == "acme") { useACMEHost = site.certificate; }
