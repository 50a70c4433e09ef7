# Alert rules: the declared ones, one for every unit that is not active, one for
# every backup that is too old.
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

  unitDown =
    service: unit:
    ruleOf service "UnitNotActive" {
      expr = ''node_systemd_unit_state{name="${unit}",state="active"} == 0'';
      for = "5m";
      severity = "critical";
      summary = "${unit} of ${service} is not active";
    };

  backupOld =
    service:
    ruleOf service "BackupTooOld" {
      expr = ''time() - homelab_backup_last_success_timestamp_seconds{service="${service}"} > ${toString (36 * 3600)}'';
      for = "15m";
      severity = "critical";
      summary = "the last good backup of ${service} is older than 36 hours";
    };

  rulesOf =
    name: service:
    lib.mapAttrsToList (ruleOf name) service.alerts
    ++ map (unitDown name) service.units
    ++ lib.optional (service.backup != null) (backupOld name);
in
{
  homelab.derived.alertGroups = lib.filter (group: group.rules != [ ]) (
    lib.mapAttrsToList (name: service: {
      inherit name;
      rules = rulesOf name service;
    }) config.homelab.enabledServices
  );
}
