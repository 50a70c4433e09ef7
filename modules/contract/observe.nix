# Metrics, logs, dashboards, alerts.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  enabled = import ./enabled.nix lib;
in
{
  options = {
    metrics = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            enable = enabled "Whether they are scraped.";
            address = mkOption {
              type = types.str;
              default = config.bind;
              defaultText = lib.literalMD "the service's bind";
              description = "Numeric address to scrape.";
            };
            port = mkOption {
              type = types.port;
              default = if config.port == null then 0 else config.port;
              defaultText = lib.literalMD "the service's port";
              description = "The port to scrape.";
            };
            scheme = mkOption {
              type = types.enum [
                "http"
                "https"
              ];
              default = config.scheme;
              defaultText = lib.literalMD "the service's scheme";
              description = "The scheme.";
            };
            path = mkOption {
              type = types.strMatching "/.*";
              default = "/metrics";
              description = "The path.";
            };
            interval = mkOption {
              type = types.strMatching "[0-9]+(s|m|h)";
              default = "30s";
              description = "How often.";
            };
            bearerTokenFile = mkOption {
              type = types.nullOr types.str;
              default = null;
              description = "A file on the machine with the token; root's is fine, as systemd hands it to whoever scrapes. Never a path of this flake: it would be in the store.";
            };
            labels = mkOption {
              type = types.attrsOf types.str;
              default = { };
              description = "Labels added to its series.";
            };
          };
        }
      );
      default = { };
      description = "Where its metrics are, by a name of your own.";
    };

    logs = {
      enable = mkOption {
        type = types.bool;
        default = config.unit != null;
        defaultText = lib.literalExpression "unit != null";
        description = "Whether the journal of its units gets the label `service`.";
      };
      dropRegex = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Lines that match are not stored.";
      };
    };

    datasources = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            type = mkOption {
              type = types.str;
              example = "prometheus";
              description = "The data source's type.";
            };
            default = mkOption {
              type = types.bool;
              default = false;
              description = "Whether panels use it when they name none.";
            };
            jsonData = mkOption {
              type = types.attrsOf types.anything;
              default = { };
              description = "Further settings of the type.";
            };
          };
        }
      );
      default = { };
      description = "Data sources that the service is for dashboards, by uid. The uid is what dashboards name: it must not change.";
    };

    dashboards = mkOption {
      type = types.attrsOf types.path;
      default = { };
      description = "Dashboards as JSON files, by name.";
    };

    alerts = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            enable = enabled "Whether it is a rule.";
            expr = mkOption {
              type = types.str;
              description = "When it fires, in MetricsQL.";
            };
            for = mkOption {
              type = types.strMatching "[0-9]+(s|m|h|d)";
              default = "5m";
              description = "For how long it must hold.";
            };
            severity = mkOption {
              type = types.enum [
                "info"
                "warning"
                "critical"
              ];
              default = "warning";
              description = "How bad it is.";
            };
            summary = mkOption {
              type = types.str;
              description = "What the message says.";
            };
          };
        }
      );
      default = { };
      description = "Alert rules, by name.";
    };

    alerting.enable = enabled "Whether there are alerts about it: those declared, and those about its units, scrapes and backups.";
  };
}
