# A restic job for each service that declares a backup.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.homelab.services.restic;
  inherit (config.homelab) derived secrets;
  verify = import ./verify.nix { inherit lib pkgs; };
  sqlite = import ./sqlite.nix { inherit lib pkgs; };

  stop = verb: backup: lib.optionalString backup.stopUnits ''
    /run/current-system/sw/bin/systemctl ${verb} ${lib.escapeShellArgs backup.units}
  '';

  # This runs before anything is stopped. NixOS's own `initialize` does not wait for other jobs:
  # while one checks or prunes the repository, it reports a missing repository and fails. Proof:
  # nix/tests/real.
  ready = ''
    ${pkgs.restic}/bin/restic cat config --retry-lock=1h > /dev/null || ${pkgs.restic}/bin/restic init || exit 1
  '';

  orNone = text: if text == "" then null else text;

  jobOf = service: backup: {
    inherit (cfg) repository;
    passwordFile = secrets.files.restic-password.path;
    environmentFile = if cfg.environment then secrets.files.restic-environment.path else null;
    exclude = backup.exclude ++ sqlite.exclude backup.sqlite;
    # `paths` is not used: NixOS needs it to decide which units exist, but the paths are read from
    # units. Proof: nix/tests/real.
    dynamicFilesFrom = "cat /etc/backups/${service}";
    # All jobs share one repository, and only one at a time may prune it.
    extraBackupArgs = [
      "--tag=${service}"
      "--retry-lock=1h"
    ];
    backupPrepareCommand =
      ready + stop "stop" backup + backup.prepare + sqlite.prepare backup.sqlite;
    # This runs after a failed backup as well, so that stopped units start again.
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
  imports = [
    ./upkeep.nix
    ./disk.nix
    ../node-exporter.nix
  ];

  options = import ../../shipped.nix lib "restic" (import ./options.nix { inherit lib; });

  config = lib.mkMerge [
    {
      homelab.services.restic = import ../../defaults.nix lib {
        title = "Backups";
        description = "Saves the state of every service";
        health.scheduled.kind.unit.unit = "timers.target";
        # The repository may be unreachable.
        backgroundUnits = [ "restic-*.service" ];
        noBackupReason = "is the backup";
        access.open = [ ];
        secrets = {
          restic-password = {
            hint = "the repository's password; keep a copy elsewhere: without it no backup can be read";
            generator.kind = "random";
          };
        }
        // lib.optionalAttrs cfg.environment {
          restic-environment.hint = "keys of the object store, NAME=VALUE each line";
        };
      };

      assertions = lib.optional (derived.backups != { } && !config.homelab.backup.isProvided) {
        assertion = false;
        message = "${lib.concatStringsSep ", " (lib.attrNames derived.backups)} declare a backup, but none is made: set homelab.services.restic.enable and homelab.services.restic.repository, or homelab.backup.isProvided where something else makes them";
      };
    }

    (lib.mkIf cfg.enable {
      homelab.backup.isProvided = true;
      services.restic.backups = lib.mapAttrs jobOf derived.backups;

      environment.etc = lib.mapAttrs' (
        service: backup:
        lib.nameValuePair "backups/${service}" { text = lib.concatLines backup.paths; }
      ) derived.backups;

      systemd.services = lib.mapAttrs' (
        service: backup:
        lib.nameValuePair "restic-backups-${service}" {
          serviceConfig.ExecStartPost = [
            "${verify {
              inherit service;
              inherit (backup) sentinel;
              textfileDirectory =
                if config.homelab.services.node-exporter.enable then
                  config.homelab.services.node-exporter.textfileDirectory
                else
                  null;
            }}"
          ];
        }
      ) derived.backups;
    })
  ];
}
