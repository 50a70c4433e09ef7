# The state of the service, and how to save it.
{ lib, ... }:
let
  inherit (lib) mkOption types;

  # `null` switches off the declaration of a shipped module, whatever the priorities of its fields.
  orNone =
    type:
    types.nullOr type
    // {
      # The module system rebuilds the type from its parts.
      substSubModules = modules: orNone (type.substSubModules modules);
      merge =
        loc: defs:
        if lib.any (def: def.value == null) defs then null else (types.nullOr type).merge loc defs;
    };
in
{
  options = {
    backup = mkOption {
      type = orNone (
        types.submodule {
          options = {
            paths = mkOption {
              type = types.either (types.enum [ "auto" ]) (types.nonEmptyListOf types.str);
              default = "auto";
              description = ''
                `auto` reads StateDirectory and DynamicUser of the units, so that the
                state of a DynamicUser, which lives in /var/lib/private, is really
                in the backup.
              '';
            };
            exclude = mkOption {
              type = types.listOf types.str;
              default = [ ];
              description = "Patterns that are left out.";
            };
            prepare = mkOption {
              type = types.lines;
              default = "";
              description = "Shell run before, a dump for example.";
            };
            cleanup = mkOption {
              type = types.lines;
              default = "";
              description = "Shell run after, also when the backup failed.";
            };
            stopUnits = mkOption {
              type = types.bool;
              default = false;
              description = "Whether the units are stopped meanwhile.";
            };
            sqlite = mkOption {
              type = types.listOf types.str;
              default = [ ];
              example = [ "/var/lib/notes/notes.db" ];
              description = ''
                SQLite databases among it. Of each a consistent copy is saved, as
                `NAME.backup` beside it, in place of files that are being written. To
                restore, rename the copy while the units are stopped.
              '';
            };
            sentinel = mkOption {
              type = types.nullOr types.str;
              default = null;
              example = "/var/lib/notes/notes.db.backup";
              description = "A file that every backup must contain. A snapshot without any file fails in any case.";
            };
          };
        }
      );
      default = null;
      description = "How its state is saved. `{ }` is enough for most.";
    };

    noBackupReason = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "has no state";
      description = "Why nothing of it is saved.";
    };
  };
}
