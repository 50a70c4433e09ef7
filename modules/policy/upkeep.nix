# Every service has a backup or a reason, and a check.
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

  unchecked = lib.filterAttrs (
    _: service:
    service.unit == null && service.health == { } && service.sites == [ ] && service.unhealthReason == null
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
    ++ lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "${name} has no health check: set homelab.services.${name}.unit or homelab.services.${name}.health, or homelab.services.${name}.unhealthReason";
    }) unchecked
    ++ lib.optional (derived.backups != { } && !config.homelab.backup.enable) {
      assertion = false;
      message = "${lib.concatStringsSep ", " (lib.attrNames derived.backups)} declare a backup, but none is made: set homelab.backup.enable and homelab.backup.repository";
    };
}
