# The proxy in front of every site.
{
  lib,
  config,
  pkgs,
  options,
  ...
}:
let
  cfg = config.homelab.services.caddy;
  inherit (config.homelab) derived proxy tls;
  siteConfig = import ./site.nix { inherit lib proxy tls; };

  # With the plugin, too, a domain has one certificate; otherwise the name of each site would be in
  # the authorities' public logs. Sites below the domain use its certificate. Proof:
  # nix/tests/real/programs.sh.
  below = lib.unique (
    map (site: site.certificate) (
      lib.filter (site: site.certificate != null && site.certificate != site.host) derived.sites
    )
  );
  wildcards = lib.optionalAttrs (tls.mode == "plugin") (
    lib.listToAttrs (
      map (
        domain:
        lib.nameValuePair "*.${domain}" {
          logFormat = "output stderr\nformat json\n";
          extraConfig = lib.concatStringsSep "\n" (
            import ./order.nix { inherit lib tls; } ++ [ "respond 404" ]
          );
        }
      ) below
    )
  );
in
{
  imports = [ ./certificates.nix ];

  options = import ../../shipped.nix lib "caddy" {
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

    adminSocket = lib.mkOption {
      type = lib.types.str;
      default = "/run/caddy/admin.sock";
      readOnly = true;
      description = "Where Caddy's admin interface is. Only Caddy and root can open it: who can, can load any configuration.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.caddy = import ../../defaults.nix lib {
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
          metrics.port = 2020;
        };
        # If Caddy refuses a configuration, it keeps running with the old one and the unit looks
        # healthy. Only this check shows it.
        health.configuration.kind.http = {
          address = "127.0.0.1";
          inherit (cfg.extraPorts.metrics) port;
          path = "/metrics";
          contains = "\ncaddy_config_last_reload_successful 1\n";
        };
        health.http.kind.tcp = {
          address = "127.0.0.1";
          port = proxy.httpPort;
        };
        metrics.default = {
          address = "127.0.0.1";
          inherit (cfg.extraPorts.metrics) port;
          scheme = "http";
        };
        dashboards.proxy = ../dashboards/proxy.json;
        noBackupReason = "certificates are ordered again";
        access = {
          open = [ "read" ];
          note = "Its admin interface is a socket that Caddy and root open; on loopback are its metrics alone.";
        };
      };
    }

    (lib.mkIf cfg.enable {
      homelab.proxy.isProvided = true;
      services.caddy = {
        enable = true;
        inherit (cfg) package;
        # With an address, Caddy would order certificates itself, beside security.acme.
        email = if tls.mode == "plugin" then tls.email else null;
        # At the default, ERROR, a certificate that cannot be ordered goes unnoticed.
        logFormat = "level INFO";
        globalConfig = lib.concatStringsSep "\n" (
          [
            # Otherwise a reload waits for every open connection.
            "grace_period 10s"
            "metrics"
            # By default it is a port on loopback, and every user of the machine could load a
            # configuration. Proof: nix/tests/real/programs.sh.
            "admin unix/${cfg.adminSocket}"
          ]
          # Settings for which NixOS has no option before 26.05.
          ++ lib.optionals (!(options.services.caddy ? httpPort)) (
            lib.optional (cfg.extraPorts.http.port != 80) "http_port ${toString cfg.extraPorts.http.port}"
            ++ lib.optional (cfg.port != 443) "https_port ${toString cfg.port}"
          )
          ++ lib.optional (cfg.bind != "0.0.0.0") "default_bind ${cfg.bind}"
          ++ lib.optional (tls.mode == "internal") "local_certs"
          ++ lib.optional (tls.mode == "internal") "skip_install_trust"
        );
        virtualHosts =
          lib.listToAttrs (map (site: lib.nameValuePair site.host (siteConfig site)) derived.sites)
          // wildcards;
      }
      // {
        # The metrics of the admin interface, without the interface.
        extraConfig = ''
          http://127.0.0.1:${toString cfg.extraPorts.metrics.port} {
            bind 127.0.0.1
            handle /metrics {
              metrics
            }
            handle {
              respond 404
            }
          }
        '';
      }
      // lib.optionalAttrs (options.services.caddy ? httpPort) {
        httpPort = cfg.extraPorts.http.port;
        httpsPort = cfg.port;
      };

      assertions = [
        {
          assertion = cfg.port == proxy.httpsPort && cfg.extraPorts.http.port == proxy.httpPort;
          message = "where the proxy listens is said in homelab.proxy.httpsPort and homelab.proxy.httpPort: set these, and leave out homelab.services.caddy.port and extraPorts.http.port";
        }
      ];

      systemd.services.caddy.serviceConfig = {
        RuntimeDirectory = lib.mkDefault "caddy";
        RuntimeDirectoryMode = lib.mkDefault "0700";
      };
    })
  ];
}
