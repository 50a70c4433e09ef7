# Certificates: one per domain by security.acme, or the proxy's own orders with a plugin. Both need
# the DNS provider's token.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.homelab.services.caddy;
  inherit (config.homelab) tls;
  token = "dns-api-token";
  tokenPath = config.homelab.secrets.files.${token}.path;
  hint = "a token of the DNS provider with Zone:Read and DNS:Edit for ${lib.concatStringsSep ", " tls.domains}";
in
{
  config = lib.mkMerge [
    (lib.mkIf (tls.mode == "acme") {
      homelab.services.caddy = import ../../defaults.nix lib {
        secrets.${token} = { inherit hint; };
        # An order fails without the name server, the authority or a valid token. Only the first
        # order is part of the account's target.
        backgroundUnits = [
          "acme-order-renew-*.service"
          "acme-account-*.target"
        ];
      };
    })

    (lib.mkIf (tls.mode == "plugin") {
      homelab.services.caddy.secrets.${token} = import ../../defaults.nix lib {
        hint = "DNS_API_TOKEN=… with ${hint}";
      };
    })

    (lib.mkIf (cfg.enable && tls.mode == "acme") {
      security.acme = {
        acceptTerms = true;
        certs = lib.genAttrs tls.domains (domain: {
          domain = "*.${domain}";
          extraDomainNames = [ domain ];
          inherit (tls) email dnsProvider dnsResolver;
          credentialFiles = lib.optionalAttrs (tls.dnsTokenVariable != null) {
            "${tls.dnsTokenVariable}_FILE" = tokenPath;
          };
          group = config.services.caddy.group;
        });
      };
      assertions = [
        {
          assertion = tls.dnsTokenVariable != null;
          message = "nobody tells lego the token of the DNS provider ${tls.dnsProvider}: set homelab.tls.dnsTokenVariable to the variable that lego's page of the provider names";
        }
      ];

      # Without this, a failed order waits for the next day. NixOS sets the pause, because the
      # authority allows five failed orders an hour.
      systemd.services = lib.listToAttrs (
        map (
          domain:
          lib.nameValuePair "acme-order-renew-${domain}" {
            serviceConfig.Restart = lib.mkDefault "on-failure";
          }
        ) tls.domains
      );
    })

    (lib.mkIf (cfg.enable && tls.mode == "plugin") {
      assertions = [
        {
          # In nixpkgs, the sources of a Caddy with plugins have a name that says so.
          assertion =
            cfg.package.outPath != pkgs.caddy.outPath || lib.hasInfix "plugins" (pkgs.caddy.src.name or "");
          message = "nixpkgs' Caddy has no DNS provider built in, which homelab.tls.mode = \"plugin\" needs: set homelab.services.caddy.package to pkgs.caddy.withPlugins { … }, or another mode";
        }
      ];
      services.caddy.environmentFile = tokenPath;
    })
  ];
}
