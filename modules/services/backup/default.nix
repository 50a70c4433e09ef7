# A restic job per service that declares a backup.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.backup;
  inherit (config.homelab) derived secrets;
  verify = import ./verify.nix { inherit lib pkgs; };

  stop = verb: backup: lib.optionalString backup.stopUnits ''
    /run/current-system/sw/bin/systemctl ${verb} ${lib.escapeShellArgs backup.units}
  '';

  orNone = text: if text == "" then null else text;

  jobOf = service: backup: {
    inherit (cfg) repository;
    passwordFile = secrets.files.restic-password.path;
    environmentFile = if cfg.environment then secrets.files.restic-environment.path else null;
    initialize = true;
    inherit (backup) exclude;
    # Not `paths`: NixOS decides by it which units there are, and what is saved is read
    # from units. Proof: nix/tests/real.
    dynamicFilesFrom = "cat /etc/backups/${service}";
    # All jobs share one repository, which one at a time may prune.
    extraBackupArgs = [
      "--tag=${service}"
      "--retry-lock=1h"
    ];
    backupPrepareCommand = orNone (stop "stop" backup + backup.prepare);
    # Runs also when the backup failed: what was stopped comes back.
    backupCleanupCommand = orNone (backup.cleanup + stop "start" backup);
    timerConfig = {
      OnCalendar = cfg.schedule;
      RandomizedDelaySec = "30min";
      Persistent = true;
    };
    pruneOpts = [
      "--tag=${service}"
      "--group-by=tags"
      "--retry-lock=1h"
    ]
    ++ cfg.keep;
  };
in
{
  options.homelab.backup = {
    enable = lib.mkEnableOption "backups by restic";

    repository = mkOption {
      type = types.str;
      example = "sftp:backup@nas.local.example.org:/frame1";
      description = "Where backups go, in restic's words.";
    };

    environment = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the repository needs the secret `restic-environment`: keys of an object store, NAME=VALUE each line.";
    };

    schedule = mkOption {
      type = types.str;
      default = "02:30";
      description = "When, as systemd.time(7) writes it.";
    };

    keep = mkOption {
      type = types.listOf types.str;
      default = [
        "--keep-daily=7"
        "--keep-weekly=5"
        "--keep-monthly=12"
      ];
      description = "Which snapshots of a service stay.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.restic.backups = lib.mapAttrs jobOf derived.backups;

    environment.etc = lib.mapAttrs' (
      service: backup:
      lib.nameValuePair "backups/${service}" { text = lib.concatLines backup.paths; }
    ) derived.backups;

    systemd.services = lib.mapAttrs' (
      service: backup:
      lib.nameValuePair "restic-backups-${service}" {
        serviceConfig.ExecStartPost = "${
          verify {
            inherit service;
            inherit (backup) sentinel;
            textfileDirectory =
              if config.homelab.node-exporter.enable then
                config.homelab.node-exporter.textfileDirectory
              else
                null;
          }
        }";
      }
    ) derived.backups;

    homelab.services.restic = {
      title = "Backups";
      description = "Saves the state of every service";
      health.scheduled.kind.unit.unit = "timers.target";
      noBackupReason = "is the backup";
      secrets = {
        restic-password.hint = "the repository's password; keep a copy elsewhere: without it no backup can be read";
      }
      // lib.optionalAttrs cfg.environment {
        restic-environment.hint = "keys of the object store, NAME=VALUE each line";
      };
    };
  };
}
