# SQLite databases are written while they are saved. Copied as files they can be torn, so
# that of each a copy is made that SQLite itself vouches for; that one is saved.
{ lib, pkgs }:
rec {
  copyOf = database: "${database}.backup";

  # SQLite gives what it writes as root to the database's owner; the copy is told so here.
  prepare = lib.concatMapStrings (database: ''
    if ! test -f ${lib.escapeShellArg database}; then
      echo ${lib.escapeShellArg "there is no database ${database}"} >&2
      exit 1
    fi
    ${pkgs.sqlite}/bin/sqlite3 -bail ${lib.escapeShellArg database} '.timeout 60000' ${
      lib.escapeShellArg ".backup '${copyOf database}'"
    }
    ${pkgs.coreutils}/bin/chown --reference=${lib.escapeShellArg database} ${lib.escapeShellArg (copyOf database)}
    ${pkgs.coreutils}/bin/chmod --reference=${lib.escapeShellArg database} ${lib.escapeShellArg (copyOf database)}
  '');

  # The live files are left out.
  exclude = lib.concatMap (
    database:
    map (end: "${database}${end}") [
      ""
      "-wal"
      "-shm"
      "-journal"
    ]
  );
}
