# What a machine exports in four states, and which alerts must fire in each, for promtool's unit
# tests (nix/tests/real/programs.sh) and for the test that no alert is left out. Watchdog fires in
# all of them. Only the death of a program ends it, which programs.sh tries.
{ lib, config }:
let
  inherit (config.homelab) derived enabledServices;
  rules = lib.concatMap (group: group.rules) derived.alertGroups;
  units = lib.concatMap (service: service.units) (lib.attrValues enabledServices);
  jobs = map (job: job.job_name) derived.scrapeJobs;
  saved = lib.attrNames derived.backups;

  # Fifteen days, with a value for each hour.
  steady = value: "${toString value}x360";
  # The time of the reading, and the time 0.
  now = "0+3600x360";
  never = steady 0;
  series = series: values: { inherit series values; };

  unit = name: state: value: series ''node_systemd_unit_state{name="${name}",state="${state}"}'' (steady value);
  disk = part: series ''node_filesystem_${part}_bytes{fstype="ext4",mountpoint="/"}'';
  saving = time: lib.concatMap (service: [
    (series ''homelab_backup_last_success_timestamp_seconds{service="${service}"}'' time)
    (series ''homelab_restore_drill_last_success_timestamp_seconds{service="${service}"}'' time)
  ]) saved ++ [ (series "homelab_backup_check_last_success_timestamp_seconds" time) ];

  exported =
    { active, failed, up, time, available, loaded }:
    map (name: unit name "active" active) units
    ++ [ (unit "odd.service" "failed" failed) ]
    ++ map (job: series ''up{job="${job}"}'' (steady up)) jobs
    ++ saving time
    ++ [
      (disk "avail" (steady available))
      (disk "size" (steady 100))
      (series "alloy_config_last_load_successful" (steady loaded))
    ];

  # The labels that a firing rule gets from its series.
  labelsOf =
    rule:
    let
      words = lib.filter lib.isList (builtins.split ''([a-z]+)="([^"]*)"'' rule.expr);
    in
    if rule.alert == "UnitFailed" then
      {
        name = "odd.service";
        state = "failed";
      }
    else if rule.alert == "DiskAlmostFull" then
      {
        fstype = "ext4";
        mountpoint = "/";
      }
    else
      lib.listToAttrs (map (word: lib.nameValuePair (lib.head word) (lib.last word)) words);
  summaryOf =
    rule:
    lib.replaceStrings
      [
        "{{ $labels.name }}"
        "{{ $labels.mountpoint }}"
      ]
      [
        "odd.service"
        "/"
      ]
      rule.annotations.summary;
  fired = rule: {
    exp_labels = labelsOf rule // rule.labels;
    exp_annotations.summary = summaryOf rule;
  };

  names = lib.unique (map (rule: rule.alert) rules);
  state = name: input_series: others: rec {
    inherit name;
    firing = others ++ [ "Watchdog" ];
    test = {
      inherit name input_series;
      interval = "1h";
      alert_rule_test = map (alert: {
        eval_time = "14d";
        alertname = alert;
        exp_alerts = lib.optionals (lib.elem alert firing) (
          map fired (lib.filter (rule: rule.alert == alert) rules)
        );
      }) names;
    };
  };
in
{
  inherit names;
  states = [
    (state "well" (exported {
      active = 1;
      failed = 0;
      up = 1;
      time = now;
      available = 50;
      loaded = 1;
    }) [ ])
    (state "everything is wrong" (exported {
      active = 0;
      failed = 1;
      up = 0;
      time = never;
      available = 5;
      loaded = 0;
    }) (lib.filter (name: !lib.hasSuffix "Missing" name && name != "Watchdog") names))
    # Nothing was ever backed up, no unit is known, and nothing is scraped.
    (state "there is nothing but one unit" [ (unit "odd.service" "failed" 0) ] (
      lib.filter (name: lib.hasSuffix "Missing" name) names
      ++ [
        "UnitNotActive"
        "ScrapeFailed"
      ]
    ))
    (state "the exporter itself is gone" [ ] (
      lib.filter (name: lib.hasSuffix "Missing" name) names ++ [ "ScrapeFailed" ]
    ))
  ];
}
