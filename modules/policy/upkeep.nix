# Every service has a backup or a reason for none, and a check.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;
  inherit (config.homelab) derived;

  unsaved = lib.filterAttrs (
    _: service: service.backup == null && service.noBackupReason == null
  ) services;
  both = lib.filterAttrs (
    _: service: service.backup != null && service.noBackupReason != null
  ) services;
  nowhere = lib.filterAttrs (_: backup: backup.paths == [ ]) derived.backups;

  # The required file is a database by its name, and it can be written while it is copied.
  torn = lib.filterAttrs (
    _: backup:
    backup.sentinel != null
    && builtins.match ".*[.](db|sqlite|sqlite3)" backup.sentinel != null
    && backup.prepare == ""
    && !backup.stopUnits
  ) derived.backups;

  unchecked = lib.filterAttrs (
    _: service:
    service.unit == null && service.health == { } && service.siteList == [ ] && service.noHealthCheckReason == null
  ) services;
in
{
  assertions =
    lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "nothing of ${name} is saved: set homelab.services.${name}.backup (`{ }` is enough for most), or homelab.services.${name}.noBackupReason";
    }) unsaved
    ++ lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "${name} has a backup and a reason for none: remove homelab.services.${name}.backup or homelab.services.${name}.noBackupReason";
    }) both
    ++ lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "the units of ${name} declare no StateDirectory, so there is nothing to save: set homelab.services.${name}.backup.paths";
    }) nowhere
    ++ lib.mapAttrsToList (name: backup: {
      assertion = false;
      message = "${backup.sentinel} of ${name} is saved while it is written, which can tear it: put it into homelab.services.${name}.backup.sqlite, or set its prepare or stopUnits";
    }) torn
    ++ lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "${name} has no health check: set homelab.services.${name}.unit or homelab.services.${name}.health, or homelab.services.${name}.noHealthCheckReason";
    }) unchecked;
}
