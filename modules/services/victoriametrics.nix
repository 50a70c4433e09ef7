# Metrics: scrapes every declared job.
{ lib, config, ... }:
let
  cfg = config.homelab.services.victoriametrics;
  inherit (config.homelab) derived;
  vmalert = config.homelab.services.vmalert or { enable = false; };
  listen = import ../listen.nix lib;
  endpoint = import ../endpoint.nix lib;
  # Tokens belong to root and this is a DynamicUser, so systemd passes them on.
  handed =
    job:
    job
    // lib.optionalAttrs (job ? bearer_token_file) {
      bearer_token_file = "/run/credentials/victoriametrics.service/token-${job.job_name}";
    };
  tokens = map (job: "token-${job.job_name}:${job.bearer_token_file}") (
    lib.filter (job: job ? bearer_token_file) derived.scrapeJobs
  );
  # In the runtime directory from NixOS, which is closed to others.
  key = "/run/victoriametrics/admin-key";
in
{
  options = import ../shipped.nix lib "victoriametrics" {
    retention = lib.mkOption {
      type = lib.types.strMatching "[0-9]+(h|d|w|y)?";
      default = "1y";
      description = "How long measurements are kept; a plain number is months.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.victoriametrics = import ../defaults.nix lib {
        title = "VictoriaMetrics";
        description = "Metrics";
        icon = "victoriametrics.svg";
        group = "Observability";
        weight = 20;
        unit = "victoriametrics.service";
        port = 8428;
        access = {
          open = [
            "read"
            "write"
          ];
          # The paths that Grafana, its own pages and federation use.
          sitePaths = [
            "/"
            "/health"
            "/metrics"
            "/federate"
            "/targets"
            "/service-discovery"
            "/vmui/*"
            "/api/v1/query"
            "/api/v1/query_range"
            "/api/v1/query_exemplars"
            "/api/v1/series"
            "/api/v1/series/count"
            "/api/v1/labels"
            "/api/v1/label/*"
            "/api/v1/metadata"
            "/api/v1/targets"
            "/api/v1/rules"
            "/api/v1/alerts"
            "/api/v1/status/*"
            "/api/v1/export"
            "/api/v1/export/*"
            "/vmalert/api/v1/*"
            "/prettify-query"
            "/expand-with-exprs"
          ];
          note = "A program of the machine can add measurements; deleting and copying them wants a key that root alone can read.";
        };
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
    }

    (lib.mkIf cfg.enable {
      services.victoriametrics = {
        enable = true;
        listenAddress = listen cfg.bind cfg.port;
        retentionPeriod = cfg.retention;
        prometheusConfig.scrape_configs = map handed derived.scrapeJobs;
        extraOptions = [
          "-storage.minFreeDiskSpaceBytes=1GB"
        ]
        # Every program on the machine can reach it, so deleting, copying and slow requests need a
        # key that only root has. Proof: nix/tests/real/programs.sh.
        ++ map (what: "-${what}AuthKey=file://${key}") [
          "delete"
          "snapshot"
          "forceMerge"
          "forceFlush"
          "search.resetCache"
          "reload"
          "pprof"
        ]
        ++ lib.optional vmalert.enable "-vmalert.proxyURL=http://${endpoint vmalert.bind vmalert.port}";
      };

      systemd.services.victoriametrics.serviceConfig.LoadCredential = tokens;
      systemd.services.victoriametrics.preStart = lib.mkDefault ''
        (umask 077 && head -c 32 /dev/urandom | base64 > ${key})
      '';
    })
  ];
}
