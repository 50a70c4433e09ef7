# Dashboards over the declared data sources.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.homelab.services.grafana;
  inherit (config.homelab) derived proxy secrets;
  # The first site is the public one. Without a site, Grafana is reached by its port only.
  site = (lib.head cfg.siteList).host;
  dashboards = pkgs.linkFarm "dashboards" (
    lib.mapAttrsToList (name: path: { inherit name path; }) derived.dashboards
  );
  fromFile = name: "$__file{${secrets.files.${name}.path}}";
  secret = hint: {
    owner = "grafana";
    group = "grafana";
    restartUnits = [ "grafana.service" ];
    generator.kind = "random";
    inherit hint;
  };
in
{
  options = import ../shipped.nix lib "grafana" { };

  config = lib.mkMerge [
    {
      homelab.services.grafana = import ../defaults.nix lib {
        title = "Grafana";
        description = "Dashboards";
        icon = "grafana.svg";
        group = "Observability";
        weight = 10;
        unit = "grafana.service";
        port = 3001;
        auth.kind = "native";
        access = {
          open = [ ];
          note = "Its admin is whoever has the password; its data sources are asked through it by those who log in.";
        };
        health.api = {
          grace = 90;
          kind.http.path = "/api/health";
        };
        metrics.default = { };
        backup = {
          paths = [ config.services.grafana.dataDir ];
          sqlite = [ "${config.services.grafana.dataDir}/data/grafana.db" ];
          sentinel = "${config.services.grafana.dataDir}/data/grafana.db.backup";
        };
        secrets = {
          grafana-admin-password = secret "the password of Grafana's admin";
          grafana-secret-key = secret "32 random characters; never change them later: Grafana encrypts with them";
        };
      };
    }

    (lib.mkIf cfg.enable {
      services.grafana = {
        enable = true;
        settings = {
          server = {
            http_addr = cfg.bind;
            http_port = cfg.port;
          }
          // lib.optionalAttrs (cfg.siteList != [ ]) {
            domain = site;
            # Otherwise logins are redirected to the wrong place.
            root_url = "https://${site}${
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
            # A data source that is no longer declared is removed.
            prune = true;
            datasources = map (source: {
              # Grafana needs distinct names, and uids are distinct.
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
    })
  ];
}
