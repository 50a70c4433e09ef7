# What of the service is state, and how it is saved.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    backup = mkOption {
      type = types.nullOr (
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
            sentinel = mkOption {
              type = types.nullOr types.str;
              default = null;
              example = "/var/lib/notes/notes.db";
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
