# Everything that follows from the declared services, as plain values. A provider
# (a proxy, a start page, a database) turns one of these into its own words; no
# file of this folder knows the name of any service or provider.
{ lib, config, ... }:
let
  plain = description: lib.mkOption {
    # Looked into by nobody: a type that merges would look at the values, and those of
    # backups are read from units, whose names depend on them.
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
