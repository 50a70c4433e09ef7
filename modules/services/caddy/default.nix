# The proxy in front of every site.
{
  lib,
  config,
  pkgs,
  options,
  ...
}:
let
  cfg = config.homelab.caddy;
  inherit (config.homelab) derived proxy tls;
  siteConfig = import ./site.nix { inherit lib proxy tls; };
in
{
  imports = [ ./certificates.nix ];

  options.homelab.caddy = {
    enable = lib.mkEnableOption "Caddy in front of the declared sites";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.caddy;
      defaultText = lib.literalExpression "pkgs.caddy";
      description = ''
        With `homelab.tls.mode = "plugin"`, a Caddy that has the DNS provider built
        in: `pkgs.caddy.withPlugins { plugins = [ "github.com/caddy-dns/cloudflare@v0.2.4" ]; hash = lib.fakeHash; }`,
        built once for the hash. The hash changes with every nixpkgs.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    services.caddy = {
      enable = true;
      inherit (cfg) package;
      # An address makes Caddy ready to order certificates itself, beside security.acme.
      email = if tls.mode == "plugin" then tls.email else null;
      # At ERROR, the default, a certificate that cannot be had goes unseen.
      logFormat = "level INFO";
      globalConfig = lib.concatStringsSep "\n" (
        [
          # Else a reload waits for every open connection.
          "grace_period 10s"
          "metrics"
        ]
        ++ lib.optional (tls.mode == "internal") "local_certs"
        ++ lib.optional (tls.mode == "internal") "skip_install_trust"
      );
      virtualHosts = lib.listToAttrs (
        map (site: lib.nameValuePair site.host (siteConfig site)) derived.sites
      );
    }
    // lib.optionalAttrs (options.services.caddy ? httpPort) {
      inherit (proxy) httpPort httpsPort;
    };

    homelab.services.caddy = {
      title = "Caddy";
      description = "The proxy in front of every site";
      unit = "caddy.service";
      bind = "0.0.0.0";
      port = proxy.httpsPort;
      scheme = "https";
      openFirewall = true;
      extraPorts = {
        http = {
          port = proxy.httpPort;
          bind = "0.0.0.0";
          openFirewall = true;
        };
        quic = {
          port = proxy.httpsPort;
          protocol = "udp";
          bind = "0.0.0.0";
          openFirewall = true;
        };
        admin.port = 2019;
      };
      # The admin interface answers to names it knows only, port and all.
      health.admin.kind.http = {
        address = "127.0.0.1";
        port = 2019;
        host = "localhost:2019";
        path = "/config/";
      };
      health.http.kind.tcp = {
        address = "127.0.0.1";
        port = proxy.httpPort;
      };
      metrics.default = {
        address = "127.0.0.1";
        port = 2019;
        scheme = "http";
      };
      dashboards.proxy = ../dashboards/proxy.json;
      noBackupReason = "certificates are ordered again";
    };
  };
}
