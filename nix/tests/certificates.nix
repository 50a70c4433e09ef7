# Who orders certificates, in each of the three ways.
{ lib, evaluate, ... }:
let
  # Plugin mode needs another package than nixpkgs' own.
  withPlugin =
    { pkgs, ... }:
    {
      homelab.services.caddy.package = pkgs.writeShellScriptBin "caddy" "with a plugin";
    };
  of =
    mode:
    evaluate [
      withPlugin
      {
        homelab = {
          services.caddy.enable = true;
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
  ordering =
    name:
    lib.hasPrefix "tls {\n  dns cloudflare {env.DNS_API_TOKEN}\n  resolvers 1.1.1.1\n}" plugin.services.caddy.virtualHosts.${name}.extraConfig;
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
      tls = ordering "local.example.org";
    };
    expected = {
      environmentFile = token;
      email = "admin@example.org";
      acme = { };
      tls = true;
    };
  };
  "plugin: a site's name is in no certificate that a wildcard can stand for" = {
    expr = {
      wildcard = ordering "*.local.example.org";
      site = ordering "a.local.example.org";
      # No declared domain covers the host.
      other = lib.hasInfix "dns cloudflare" (
        (evaluate [
          withPlugin
          {
            homelab = {
              services.caddy.enable = true;
              tls.mode = "plugin";
              services.b = {
                port = 7001;
                sites = [ "b.example.org" ];
                noBackupReason = "test";
              };
            };
          }
        ]).services.caddy.virtualHosts."b.example.org".extraConfig
      );
    };
    expected = {
      wildcard = true;
      site = false;
      other = true;
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
      "required-once-passed"
      "required-once-passed"
      "required"
    ];
  };
}
