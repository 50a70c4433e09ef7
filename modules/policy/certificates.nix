# Every site has a proxy in front, something behind, and a certificate.
{ lib, config, ... }:
let
  inherit (config.homelab) tls derived proxy;
  uncovered = lib.optionals (tls.mode == "acme") (
    lib.filter (site: site.certificate == null) derived.sites
  );
  nothingBehind = lib.filter (
    site: site.upstream == null && site.proxy.extraConfig == ""
  ) derived.sites;
in
{
  assertions =
    lib.optional (derived.sites != [ ] && !proxy.isProvided) {
      assertion = false;
      message = "nobody answers for ${
        lib.concatMapStringsSep ", " (site: site.host) derived.sites
      }: enable a proxy, or leave out the `sites` of ${
        lib.concatStringsSep ", " (lib.unique (map (site: site.service) derived.sites))
      }";
    }
    ++ map (site: {
      assertion = false;
      message = "no certificate covers ${site.host}, a site of ${site.service}: add its domain to homelab.tls.domains (a wildcard covers one level)";
    }) uncovered
    ++ map (site: {
      assertion = false;
      message = "nothing is behind ${site.host}, a site of ${site.service}: set homelab.services.${site.service}.port, or homelab.services.${site.service}.proxy.extraConfig";
    }) nothingBehind;
}
