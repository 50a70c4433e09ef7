# SQLite databases may be written while they are saved, and a plain copy of the files can be
# damaged. SQLite itself makes a consistent copy, and that copy is saved.
{ lib, pkgs }:
rec {
  copyOf = database: "${database}.backup";

  # When root writes, SQLite gives the file to the database's owner. The copy needs the same here.
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

  # The live files are excluded.
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
