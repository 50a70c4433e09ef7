# How the proxy orders a certificate itself, by DNS.
{ lib, tls }:
[
  "tls {"
  "  dns ${tls.dnsProvider} {env.DNS_API_TOKEN}"
  "  resolvers ${lib.head (lib.splitString ":" tls.dnsResolver)}"
  "}"
]
