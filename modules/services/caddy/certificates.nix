# Certificates: one per domain by security.acme, or the proxy's own orders with a
# plugin. Either needs the DNS provider's token.
{ lib, config, ... }:
let
  cfg = config.homelab.caddy;
  inherit (config.homelab) tls;
  token = "dns-api-token";
  tokenPath = config.homelab.secrets.files.${token}.path;
  hint = "a token of the DNS provider with Zone:Read and DNS:Edit for ${lib.concatStringsSep ", " tls.domains}";
in
{
  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      (lib.mkIf (tls.mode == "acme") {
        security.acme = {
          acceptTerms = true;
          certs = lib.genAttrs tls.domains (domain: {
            domain = "*.${domain}";
            extraDomainNames = [ domain ];
            inherit (tls) email dnsProvider dnsResolver;
            credentialFiles."CF_DNS_API_TOKEN_FILE" = tokenPath;
            group = config.services.caddy.group;
            reloadServices = [ "caddy.service" ];
          });
        };
        homelab.services.caddy.secrets.${token} = { inherit hint; };

        # Without this a failed order waits for the next day.
        systemd.services = lib.listToAttrs (
          map (
            domain:
            lib.nameValuePair "acme-order-renew-${domain}" {
              serviceConfig = {
                Restart = "on-failure";
                RestartSec = "10min";
              };
            }
          ) tls.domains
        );
      })

      (lib.mkIf (tls.mode == "plugin") {
        services.caddy.environmentFile = tokenPath;
        homelab.services.caddy.secrets.${token} = {
          hint = "DNS_API_TOKEN=… with ${hint}";
        };
      })
    ]
  );
}
