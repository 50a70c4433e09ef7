# Scrape jobs. The name is the service's, followed by the entry's own name if that differs.
{ lib, config, ... }:
let
  endpoint = import ../endpoint.nix lib;

  jobOf =
    service: entry: metrics:
    {
      job_name = if entry == "default" then service else "${service}-${entry}";
      inherit (metrics) scheme;
      metrics_path = metrics.path;
      scrape_interval = metrics.interval;
      static_configs = [
        {
          targets = [ (endpoint metrics.address metrics.port) ];
          labels = {
            inherit service;
          }
          // metrics.labels;
        }
      ];
    }
    // lib.optionalAttrs (metrics.bearerTokenFile != null) {
      bearer_token_file = metrics.bearerTokenFile;
    };
in
{
  homelab.derived.scrapeJobs = lib.concatLists (
    lib.mapAttrsToList (
      service: declared: lib.mapAttrsToList (jobOf service) (
        lib.filterAttrs (_: metrics: metrics.enable) declared.metrics
      )
    ) config.homelab.enabledServices
  );
}
