# Runs after a backup. A snapshot without any file, or without the declared one, is a failure,
# although restic reports success.
{ lib, pkgs }:
let
  exported = import ./exported.nix { inherit lib; };
in
{
  service,
  sentinel,
  textfileDirectory,
}:
pkgs.writeShellScript "verify-backup-of-${service}" ''
  set -eu
  export PATH=${
    lib.makeBinPath [
      pkgs.coreutils
      pkgs.gnugrep
      pkgs.restic
    ]
  }
  listing=$(mktemp)
  trap 'rm -f "$listing"' EXIT
  # `-` is a file in the long listing; folders and links do not count.
  restic ls --retry-lock=1h --long --tag ${lib.escapeShellArg service} latest > "$listing"
  if ! grep -q '^-' "$listing"; then
    echo "the last snapshot of ${service} holds no file: see homelab.services.${service}.backup.paths" >&2
    exit 1
  fi
  ${lib.optionalString (sentinel != null) ''
    if ! grep -qF -- ${lib.escapeShellArg sentinel} "$listing"; then
      echo "the last snapshot of ${service} lacks "${lib.escapeShellArg sentinel}": see homelab.services.${service}.backup.sentinel" >&2
      exit 1
    fi
  ''}
  ${exported {
    inherit textfileDirectory;
    file = "backup-${service}";
    metric = "homelab_backup_last_success_timestamp_seconds";
    labels = ''{service=\"${service}\"}'';
  }}
''
