# Who orders certificates, in each of the three ways.
{ lib, evaluate, ... }:
let
  of =
    mode:
    evaluate [
      {
        homelab = {
          caddy.enable = true;
          tls = {
            inherit mode;
            domains = [ "local.example.org" ];
            email = "admin@example.org";
          };
          services.a = {
            port = 7000;
            sites = [
              "a.local.example.org"
              "local.example.org"
            ];
            noBackupReason = "test";
          };
        };
      }
    ];
  acme = of "acme";
  plugin = of "plugin";
  internal = of "internal";
  host = "local.example.org";
  site = config: config.services.caddy.virtualHosts.${host};
  token = "/run/agenix/dns-api-token";
in
{
  "acme: one certificate for the wildcard and the bare name, by the provider's DNS" = {
    expr = {
      inherit (acme.services.caddy) email;
      names = lib.attrNames acme.security.acme.certs;
      inherit (acme.security.acme.certs.${host})
        domain
        extraDomainNames
        dnsProvider
        credentialFiles
        group
        reloadServices
        ;
      sites = lib.mapAttrs (_: vhost: vhost.useACMEHost) acme.services.caddy.virtualHosts;
      retries = acme.systemd.services."acme-order-renew-${host}".serviceConfig.Restart;
    };
    expected = {
      email = null;
      names = [ host ];
      domain = "*.${host}";
      extraDomainNames = [ host ];
      dnsProvider = "cloudflare";
      credentialFiles.CF_DNS_API_TOKEN_FILE = token;
      group = "caddy";
      reloadServices = [ "caddy.service" ];
      sites = {
        "a.${host}" = host;
        ${host} = host;
      };
      retries = "on-failure";
    };
  };
  "plugin: the proxy orders them, with the token from its environment" = {
    expr = {
      inherit (plugin.services.caddy) environmentFile email;
      acme = plugin.security.acme.certs;
      tls = lib.hasPrefix "tls {\n  dns cloudflare {env.DNS_API_TOKEN}\n  resolvers 1.1.1.1\n}" (site plugin).extraConfig;
    };
    expected = {
      environmentFile = token;
      email = "admin@example.org";
      acme = { };
      tls = true;
    };
  };
  "internal: the proxy's own authority, without a token" = {
    expr = {
      acme = internal.security.acme.certs;
      secrets = internal.homelab.derived.secrets;
      tls = lib.hasPrefix "tls internal" (site internal).extraConfig;
    };
    expected = {
      acme = { };
      secrets = { };
      tls = true;
    };
  };
  "the issuer decides at once when it is the proxy's own, else from the first certificate on" = {
    expr = map (
      config:
      (lib.findFirst (check: check.name == "a.certificate.${host}") null config.homelab.derived.checks)
      .level
    ) [
      acme
      plugin
      internal
    ];
    expected = [
      "late-until-passed"
      "late-until-passed"
      "gate"
    ];
  };
}
