# What makes the declared backups.
{ lib, ... }:
{
  options.homelab.backup.isProvided = lib.mkOption {
    type = lib.types.bool;
    default = false;
    description = "Whether something makes the backups that services declare, which are `config.homelab.derived.backups`. Whoever does says so here.";
  };
}
