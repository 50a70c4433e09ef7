# The proxy's own order of a certificate, by DNS.
{ lib, tls }:
[
  "tls {"
  "  dns ${tls.dnsProvider} {env.DNS_API_TOKEN}"
  "  resolvers ${lib.head (lib.splitString ":" tls.dnsResolver)}"
  "}"
]
