# Alert rules: the declared ones, and those for every inactive unit, failed scrape and old backup. A
# rule about a missing series would never fire, so each rule also asks for an absent one. Proof:
# nix/tests/alerts.
{ lib, config, ... }:
let
  ruleOf = service: name: alert: {
    alert = name;
    inherit (alert) expr;
    "for" = alert.for;
    labels = {
      inherit service;
      inherit (alert) severity;
    };
    annotations.summary = alert.summary;
  };

  # If nothing exports units, there is no series of any unit, and ScrapeFailed reports that once.
  unitDown =
    service: unit:
    let
      active = ''node_systemd_unit_state{name="${unit}",state="active"}'';
    in
    ruleOf service "UnitNotActive" {
      expr = "${active} == 0 or (absent(${active}) and on () count(node_systemd_unit_state) > 0)";
      for = "5m";
      severity = "critical";
      summary = "${unit} of ${service} is not active";
    };

  scrapeFailed =
    service: job:
    let
      up = ''up{job="${job}"}'';
    in
    ruleOf service "ScrapeFailed" {
      expr = "${up} == 0 or absent(${up})";
      for = "10m";
      severity = "critical";
      summary = "there are no metrics of ${job}: alerts on them cannot fire";
    };

  # Rules about the exported time of a success: it is too old, or missing.
  agingOf =
    service: alert: metric: hours: what:
    let
      series = ''${metric}{service="${service}"}'';
    in
    [
      (ruleOf service "${alert}TooOld" {
        expr = "time() - ${series} > ${toString (hours * 3600)}";
        for = "15m";
        severity = "critical";
        summary = "the last good ${what} of ${service} is older than ${toString hours} hours";
      })
      (ruleOf service "${alert}Missing" {
        expr = "absent(${series})";
        for = "${toString hours}h";
        severity = "critical";
        summary = "there was no good ${what} of ${service} yet";
      })
    ];
  backupRules =
    service:
    agingOf service "Backup" "homelab_backup_last_success_timestamp_seconds" 36 "backup"
    ++ agingOf service "RestoreDrill" "homelab_restore_drill_last_success_timestamp_seconds" (
      9 * 24
    ) "restore drill";

  jobsOf =
    name:
    map (job: job.job_name) (
      lib.filter (
        job: lib.any (static: static.labels.service == name) job.static_configs
      ) config.homelab.derived.scrapeJobs
    );

  rulesOf =
    name: service:
    lib.mapAttrsToList (ruleOf name) (lib.filterAttrs (_: alert: alert.enable) service.alerts)
    ++ map (unitDown name) service.units
    ++ map (scrapeFailed name) (jobsOf name)
    ++ lib.optionals (service.backup != null) (backupRules name);
in
{
  homelab.derived.alertGroups = lib.filter (group: group.rules != [ ]) (
    lib.mapAttrsToList (name: service: {
      inherit name;
      rules = lib.optionals service.alerting.enable (rulesOf name service);
    }) config.homelab.enabledServices
  );
}
