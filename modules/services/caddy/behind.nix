# What is in front of a site or route and behind it, in the order in which it runs: strangers are
# refused before any login. It is for a `route` block, which is the only one that keeps the order.
# Proof: nix/tests/sites.nix.
{ lib, proxy }:
{
  audience,
  auth,
  allowed,
  upstream,
  stripPrefix ? null,
  ...
}@entry:
let
  loopback = [
    "127.0.0.0/8"
    "::1"
  ];
  # The firewall ensures that these addresses arrive by the tailnet's interface:
  # modules/derived/tailnet.nix.
  tailnet = lib.optionals (proxy.tailnetInterface != null) proxy.tailnetRanges;
  ranges = {
    lan = loopback ++ proxy.lanRanges ++ tailnet;
    tailnet = loopback ++ tailnet;
  };

  strangers = lib.optionals (audience != "public") [
    "@outside not remote_ip ${lib.concatStringsSep " " ranges.${audience}}"
    "respond @outside 403"
  ];

  # Only the login may set headers that identify a user: not a client on a path that bypasses the
  # login, not a client when the login omits one, and not in the spelling with `_`, which many
  # programs treat like `-`. Proof: nix/tests/real/programs.sh.
  spellings =
    name:
    lib.foldl' (
      starts: part:
      lib.concatMap (start: [
        "${start}-${part}"
        "${start}_${part}"
      ]) starts
    ) [ (lib.head (lib.splitString "-" name)) ] (lib.tail (lib.splitString "-" name));
  unforged = lib.optionals (proxy.forwardAuth.url != null) (
    map (name: "request_header -${name}") (lib.concatMap spellings proxy.forwardAuth.copyHeaders)
  );

  # The paths that need a login. If the site has one, only the paths that bypass it are restricted.
  open = if allowed == [ ] then [ "/-none-" ] else allowed;
  closed = lib.optionals (allowed != null) (
    if auth.kind != "forward" then
      [
        "@closed not path ${lib.concatStringsSep " " open}"
        "respond @closed 403"
      ]
    else
      lib.optionals (auth.bypassPaths != [ ]) [
        "@closed {"
        "  path ${lib.concatStringsSep " " auth.bypassPaths}"
        "  not path ${lib.concatStringsSep " " open}"
        "}"
        "respond @closed 403"
      ]
  );

  bypass = if auth.bypassPaths == [ ] then [ "/-none-" ] else auth.bypassPaths;
  login = lib.optionals (auth.kind == "forward") (
    [
      "@guarded not path ${lib.concatStringsSep " " bypass}"
      "forward_auth @guarded ${toString proxy.forwardAuth.url} {"
      "  uri ${proxy.forwardAuth.uri}"
    ]
    ++ lib.optional (
      proxy.forwardAuth.copyHeaders != [ ]
    ) "  copy_headers ${lib.concatStringsSep " " proxy.forwardAuth.copyHeaders}"
    ++ [ "}" ]
  );

  body = lib.optionals (entry.proxy.maxBody != null) [
    "request_body {"
    "  max_size ${entry.proxy.maxBody}"
    "}"
  ];

  # The proxy itself answers for a service without a port.
  answer =
    if upstream == null then
      [ "handle {" ] ++ lib.splitString "\n" entry.proxy.extraConfig ++ [ "}" ]
    else
      lib.optional (stripPrefix != null) "uri strip_prefix ${stripPrefix}"
      ++ [ "reverse_proxy ${upstream} {" ]
      ++ lib.optional entry.proxy.streaming "  flush_interval -1"
      ++ lib.mapAttrsToList (
        name: value: "  header_up ${name} ${builtins.toJSON value}"
      ) entry.proxy.headersUp
      ++ lib.optionals entry.proxy.insecureUpstream [
        "  transport http {"
        "    tls_insecure_skip_verify"
        "  }"
      ]
      ++ [ "}" ];
in
strangers ++ unforged ++ closed ++ login ++ body ++ answer
