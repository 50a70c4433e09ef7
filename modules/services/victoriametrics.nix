# Metrics: scrapes every declared job.
{ lib, config, ... }:
let
  cfg = config.homelab.victoriametrics;
  inherit (config.homelab) derived;
in
{
  options.homelab.victoriametrics = {
    enable = lib.mkEnableOption "VictoriaMetrics";

    site = lib.mkOption {
      type = lib.types.str;
      example = "metrics.local.example.org";
      description = "Its full host name.";
    };

    port = lib.mkOption {
      type = lib.types.port;
      default = 8428;
      description = "Where it listens, on loopback.";
    };

    retention = lib.mkOption {
      type = lib.types.strMatching "[0-9]+(h|d|w|y)?";
      default = "1y";
      description = "How long measurements are kept; a plain number is months.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.victoriametrics = {
      enable = true;
      listenAddress = "127.0.0.1:${toString cfg.port}";
      retentionPeriod = cfg.retention;
      prometheusConfig.scrape_configs = derived.scrapeJobs;
      extraOptions = [
        "-storage.minFreeDiskSpaceBytes=1GB"
      ]
      ++ lib.optional config.homelab.alerting.enable "-vmalert.proxyURL=http://127.0.0.1:${toString config.homelab.alerting.vmalertPort}";
    };

    homelab.services.victoriametrics = {
      title = "VictoriaMetrics";
      description = "Metrics";
      icon = "victoriametrics.svg";
      group = "Observability";
      weight = 20;
      unit = "victoriametrics.service";
      inherit (cfg) port;
      sites = [ cfg.site ];
      health.api = {
        grace = 60;
        kind.http = {
          path = "/health";
          contains = "OK";
        };
      };
      metrics.default = { };
      datasources.metrics = {
        type = "prometheus";
        default = true;
        jsonData.httpMethod = "POST";
      };
      noBackupReason = "measurements are kept for a while only and can be lost; rules and dashboards are in the flake";
    };
  };
}
