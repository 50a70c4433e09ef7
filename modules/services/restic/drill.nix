# The restore drill: restores the last snapshot of every service beside the live state, checks it
# and removes it. A backup that was never restored proves nothing.
{ lib, pkgs }:
{
  backups,
  textfileDirectory,
}:
let
  exported = import ./exported.nix { inherit lib; };
  sqlite = import ./sqlite.nix { inherit lib pkgs; };
  drillOf =
    service: backup:
    lib.escapeShellArgs (
      [
        service
        (toString backup.sentinel)
      ]
      ++ map sqlite.copyOf backup.sqlite
    );
in
pkgs.writeShellScript "restore-drill" ''
  set -u
  export PATH=${
    lib.makeBinPath [
      pkgs.coreutils
      pkgs.findutils
      pkgs.gnugrep
      pkgs.restic
      pkgs.sqlite
    ]
  }
  target=''${CACHE_DIRECTORY:?}/restored
  trap 'rm -rf "$target"' EXIT

  # drill SERVICE SENTINEL DATABASE...
  drill() {
    local service=$1 sentinel=$2 database
    shift 2
    rm -rf "$target"
    restic restore latest --retry-lock=1h --tag "$service" --target "$target" || return 1
    if ! find "$target" -type f -print -quit | grep -q .; then
      echo "what was restored of $service holds no file" >&2
      return 1
    fi
    if [ -n "$sentinel" ] && ! [ -e "$target$sentinel" ]; then
      echo "what was restored of $service lacks $sentinel" >&2
      return 1
    fi
    for database; do
      if [ "$(sqlite3 "$target$database" 'PRAGMA integrity_check')" != ok ]; then
        echo "what was restored of $service has a database that SQLite calls damaged: $database" >&2
        return 1
      fi
    done
    ${exported {
      inherit textfileDirectory;
      file = "restore-drill-$service";
      metric = "homelab_restore_drill_last_success_timestamp_seconds";
      labels = ''{service=\"$service\"}'';
    }}
  }

  failed=0
  ${lib.concatLines (
    lib.mapAttrsToList (service: backup: "drill ${drillOf service backup} || failed=1") backups
  )}
  exit $failed
''
