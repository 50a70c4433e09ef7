# All values that follow from the declared services. A provider (a proxy, a start page, a database)
# translates one of them into its own configuration. No file in this folder knows the name of a
# service or a provider.
{ lib, config, ... }:
let
  plain = description: lib.mkOption {
    # A type that merges would evaluate the values. Those of backups are read from units, whose
    # names depend on them.
    type = lib.types.raw;
    readOnly = true;
    internal = true;
    inherit description;
  };
in
{
  _class = "nixos";

  imports = [
    ./elsewhere.nix
    ./sites.nix
    ./tiles.nix
    ./scrape-jobs.nix
    ./log-labels.nix
    ./datasources.nix
    ./dashboards.nix
    ./alerts.nix
    ./firewall.nix
    ./tailnet.nix
    ./units.nix
    ./backups.nix
    ./secrets.nix
    ./checks.nix
    ./manifest.nix
  ];

  options.homelab = {
    enabledServices = plain "The declared services that are enabled.";
    derived = {
      sites = plain "Host names with the services behind each.";
      tiles = plain "Tiles of the start page by group.";
      scrapeJobs = plain "Scrape jobs in Prometheus's words.";
      logLabels = plain "Which unit's journal belongs to which service.";
      datasources = plain "Data sources for dashboards.";
      dashboards = plain "Dashboard files by name.";
      alertGroups = plain "Alert rules in Prometheus's words.";
      firewall = plain "Ports that other hosts may reach.";
      units = plain "Start order and limits of units.";
      backups = plain "What is saved, by service.";
      secrets = plain "Secrets with what becomes of each.";
      checks = plain "Checks of machine.json.";
    };
    manifest = plain "What a deploy has to know: plain JSON, evaluated without building.";
  };

  config.homelab.enabledServices =
    lib.filterAttrs (_: service: service.enable) config.homelab.services // config.homelab.elsewhere;
}
