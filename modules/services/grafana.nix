# Dashboards over the declared data sources.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.homelab.grafana;
  inherit (config.homelab) derived proxy secrets;
  dashboards = pkgs.linkFarm "dashboards" (
    lib.mapAttrsToList (name: path: { inherit name path; }) derived.dashboards
  );
  fromFile = name: "$__file{${secrets.files.${name}.path}}";
  secret = hint: {
    owner = "grafana";
    group = "grafana";
    restartUnits = [ "grafana.service" ];
    inherit hint;
  };
in
{
  options.homelab.grafana = {
    enable = lib.mkEnableOption "Grafana";

    site = lib.mkOption {
      type = lib.types.str;
      example = "grafana.local.example.org";
      description = "Its full host name.";
    };

    port = lib.mkOption {
      type = lib.types.port;
      default = 3001;
      description = "Where it listens, on loopback.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.grafana = {
      enable = true;
      settings = {
        server = {
          http_addr = "127.0.0.1";
          http_port = cfg.port;
          domain = cfg.site;
          # Logins are sent to the wrong place without it.
          root_url = "https://${cfg.site}${
            lib.optionalString (proxy.publicPort != 443) ":${toString proxy.publicPort}"
          }/";
        };
        security = {
          admin_user = "admin";
          admin_password = fromFile "grafana-admin-password";
          secret_key = fromFile "grafana-secret-key";
          cookie_secure = true;
        };
        analytics = {
          reporting_enabled = false;
          check_for_updates = false;
        };
      };
      provision = {
        enable = true;
        datasources.settings = {
          apiVersion = 1;
          # One that is no longer declared goes away.
          prune = true;
          datasources = map (source: {
            # Grafana wants names that differ, and uids do.
            name = source.uid;
            inherit (source)
              type
              uid
              url
              isDefault
              jsonData
              ;
            access = "proxy";
            editable = false;
          }) derived.datasources;
        };
        dashboards.settings.providers = [
          {
            name = "flake";
            type = "file";
            allowUiUpdates = false;
            options.path = "${dashboards}";
          }
        ];
      };
    };

    homelab.services.grafana = {
      title = "Grafana";
      description = "Dashboards";
      icon = "grafana.svg";
      group = "Observability";
      weight = 10;
      unit = "grafana.service";
      inherit (cfg) port;
      sites = [ cfg.site ];
      auth.kind = "native";
      health.api = {
        grace = 90;
        kind.http.path = "/api/health";
      };
      metrics.default = { };
      backup = {
        paths = [ config.services.grafana.dataDir ];
        sentinel = "${config.services.grafana.dataDir}/data/grafana.db";
      };
      secrets = {
        grafana-admin-password = secret "the password of Grafana's admin";
        grafana-secret-key = secret "32 random characters; never change them later: Grafana encrypts with them";
      };
    };
  };
}
