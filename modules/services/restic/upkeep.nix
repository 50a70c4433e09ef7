# The repository is checked and restored from, each on its own schedule. restic does neither by
# itself, and damage would be found only when the backup is needed.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.homelab.services.restic;
  inherit (config.homelab) derived secrets;
  exported = import ./exported.nix { inherit lib; };
  textfileDirectory =
    if config.homelab.services.node-exporter.enable then config.homelab.services.node-exporter.textfileDirectory else null;

  unit = name: description: schedule: script: {
    ${name} = {
      inherit description;
      startAt = schedule;
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      # A running one continues during a switch.
      restartIfChanged = false;
      environment = {
        RESTIC_REPOSITORY = cfg.repository;
        RESTIC_PASSWORD_FILE = secrets.files.restic-password.path;
        RESTIC_CACHE_DIR = "/var/cache/${name}";
      };
      serviceConfig = {
        Type = "oneshot";
        CacheDirectory = name;
        CacheDirectoryMode = "0700";
        PrivateTmp = true;
        ExecStart = "${script}";
      }
      // lib.optionalAttrs cfg.environment { EnvironmentFile = secrets.files.restic-environment.path; };
    };
  };

  check = pkgs.writeShellScript "check-backups" ''
    set -eu
    export PATH=${
      lib.makeBinPath [
        pkgs.coreutils
        pkgs.restic
      ]
    }
    restic check --retry-lock=1h --read-data-subset=${cfg.check.subset}
    ${exported {
      inherit textfileDirectory;
      file = "backup-check";
      metric = "homelab_backup_check_last_success_timestamp_seconds";
    }}
  '';
  drill = import ./drill.nix { inherit lib pkgs; } {
    inherit (derived) backups;
    inherit textfileDirectory;
  };

  # The full interval of the unit's timer, and two days.
  tooOld = "9d";
  late = expr: severity: summary: {
    inherit expr severity summary;
    for = "15m";
  };
in
{
  config = lib.mkMerge [
    {
      homelab.services.restic.alerts = import ../../defaults.nix lib {
        BackupCheckTooOld = late "time() - homelab_backup_check_last_success_timestamp_seconds > ${
          toString (9 * 24 * 3600)
        }" "critical" "the last good check of the backups' repository is older than 9 days";
        BackupCheckMissing = {
          expr = "absent(homelab_backup_check_last_success_timestamp_seconds)";
          for = tooOld;
          severity = "critical";
          summary = "the backups' repository was never found good";
        };
      };
    }

    (lib.mkIf cfg.enable {
      systemd.services =
        unit "restic-check" "Check the backups' repository" cfg.check.schedule check
        // unit "restic-drill" "Restore every service's last backup, look at it, remove it" cfg.drill.schedule drill;
    })
  ];
}
