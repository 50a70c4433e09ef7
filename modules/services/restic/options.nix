# The options about the repository and its schedule.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
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

  check = {
    schedule = mkOption {
      type = types.str;
      default = "Sun 05:00";
      description = "When the repository is checked, as systemd.time(7) writes it; once a week at least, or an alert fires.";
    };
    subset = mkOption {
      type = types.str;
      default = "5%";
      description = "How much of the data is read each time, in the words of `restic check --read-data-subset`; the structure is read as a whole.";
    };
  };
  drill.schedule = mkOption {
    type = types.str;
    default = "Sat 05:00";
    description = "When the last snapshot of every service is restored, looked at and removed; once a week at least, or an alert fires. It takes as much room in /var/cache as the largest of them.";
  };

  sameDiskReason = mkOption {
    type = types.nullOr types.str;
    default = null;
    example = "the disk is a mirror, and the mirror is copied elsewhere by hand";
    description = "Why the repository may be on the disk that is saved.";
  };
}
