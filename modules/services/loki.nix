# Logs, as one program with its files on this machine.
{ lib, config, ... }:
let
  cfg = config.homelab.services.loki;
  inherit (config.homelab) fleet;
  inherit (config.services.loki) dataDir;
in
{
  options = import ../shipped.nix lib "loki" {
    retention = lib.mkOption {
      type = lib.types.strMatching "[0-9]+h";
      default = "720h";
      description = "How long lines are kept, in hours.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.loki = import ../defaults.nix lib {
        title = "Loki";
        description = "Logs";
        icon = "loki.svg";
        group = "Observability";
        weight = 30;
        unit = "loki.service";
        port = 3100;
        # On loopback, or on the address where the other machines reach it.
        bind = fleet.listen (fleet.logs == fleet.name);
        extraPorts.grpc.port = 9096;
        access = {
          open = [
            "read"
            "write"
            "admin"
          ];
          # The paths that Grafana and logcli use; neither pushing nor stopping.
          sitePaths = [
            "/ready"
            "/metrics"
            "/loki/api/v1/query"
            "/loki/api/v1/query_range"
            "/loki/api/v1/labels"
            "/loki/api/v1/label/*"
            "/loki/api/v1/series"
            "/loki/api/v1/tail"
            "/loki/api/v1/index/*"
            "/loki/api/v1/patterns"
            "/loki/api/v1/detected_fields"
            "/loki/api/v1/detected_labels"
            "/loki/api/v1/detected_field/*"
            "/loki/api/v1/format_query"
            "/loki/api/v1/status/buildinfo"
          ];
          note = "A program of the machine can send lines and stop it; nobody can delete lines before their time.";
        };
        # It answers 503 during its first 15 seconds.
        health.ready = {
          grace = 90;
          kind.http.path = "/ready";
        };
        metrics.default = { };
        datasources.logs.type = "loki";
        dashboards.logs = ./dashboards/logs.json;
        noBackupReason = "lines are kept for a while only and can be lost";
      };
    }

    (lib.mkIf cfg.enable {
      services.loki = {
        enable = true;
        configuration = {
          auth_enabled = false;
          analytics.reporting_enabled = false;
          server = {
            # Without these it listens on every address, including gRPC.
            http_listen_address = cfg.bind;
            http_listen_port = cfg.port;
            grpc_listen_address = cfg.extraPorts.grpc.bind;
            grpc_listen_port = cfg.extraPorts.grpc.port;
            log_level = "warn";
          };
          common = {
            instance_addr = "127.0.0.1";
            path_prefix = dataDir;
            replication_factor = 1;
            ring = {
              instance_addr = "127.0.0.1";
              kvstore.store = "inmemory";
            };
            storage.filesystem = {
              chunks_directory = "${dataDir}/chunks";
              rules_directory = "${dataDir}/rules";
            };
          };
          # The date must never change, because older lines could not be read any more.
          schema_config.configs = [
            {
              from = "2024-04-01";
              store = "tsdb";
              object_store = "filesystem";
              schema = "v13";
              index = {
                prefix = "index_";
                period = "24h";
              };
            }
          ];
          limits_config = {
            retention_period = cfg.retention;
            reject_old_samples = true;
            reject_old_samples_max_age = "168h";
            # Every program on the machine can reach it, so no request may delete. The retention
            # still removes old lines.
            deletion_mode = "disabled";
            allow_structured_metadata = true;
            volume_enabled = true;
          };
          # Nothing is ever deleted unless all three are set.
          compactor = {
            working_directory = "${dataDir}/compactor";
            retention_enabled = true;
            delete_request_store = "filesystem";
          };
        };
      };
    })
  ];
}
