# Logs, as one program with its files on this machine.
{ lib, config, ... }:
let
  cfg = config.homelab.loki;
  inherit (config.services.loki) dataDir;
in
{
  options.homelab.loki = {
    enable = lib.mkEnableOption "Loki";

    site = lib.mkOption {
      type = lib.types.str;
      example = "logs.local.example.org";
      description = "Its full host name.";
    };

    port = lib.mkOption {
      type = lib.types.port;
      default = 3100;
      description = "Where it listens, on loopback.";
    };

    retention = lib.mkOption {
      type = lib.types.strMatching "[0-9]+h";
      default = "720h";
      description = "How long lines are kept, in hours.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.loki = {
      enable = true;
      configuration = {
        auth_enabled = false;
        analytics.reporting_enabled = false;
        server = {
          # Without these it listens on every address, gRPC included.
          http_listen_address = "127.0.0.1";
          http_listen_port = cfg.port;
          grpc_listen_address = "127.0.0.1";
          grpc_listen_port = 9096;
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
        # The date must never move: lines of before it could not be read.
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
          allow_structured_metadata = true;
          volume_enabled = true;
        };
        # All three are needed, else nothing is ever deleted.
        compactor = {
          working_directory = "${dataDir}/compactor";
          retention_enabled = true;
          delete_request_store = "filesystem";
        };
      };
    };

    homelab.services.loki = {
      title = "Loki";
      description = "Logs";
      icon = "loki.svg";
      group = "Observability";
      weight = 30;
      unit = "loki.service";
      inherit (cfg) port;
      sites = [ cfg.site ];
      extraPorts.grpc.port = 9096;
      # It says 503 for the first 15 seconds of its life.
      health.ready = {
        grace = 90;
        kind.http.path = "/ready";
      };
      metrics.default = { };
      datasources.logs.type = "loki";
      dashboards.logs = ./dashboards/logs.json;
      noBackupReason = "lines are kept for a while only and can be lost";
    };
  };
}
