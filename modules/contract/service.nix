# One service: its identity, its address and port, and one file for each consumer's fields.
{
  lib,
  name,
  config,
  ...
}:
let
  inherit (lib) mkOption types;
in
{
  imports = [
    ./tile.nix
    ./sites.nix
    ./ports.nix
    ./access.nix
    ./runs.nix
    ./health.nix
    ./observe.nix
    ./backup.nix
    ./secrets.nix
  ];

  options = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether anything is derived from this entry.";
    };

    title = mkOption {
      type = types.str;
      default = name;
      defaultText = lib.literalMD "the entry's name";
      description = "What people call the service.";
    };

    description = mkOption {
      type = types.str;
      default = "";
      description = "One line on what it is for.";
    };

    unit = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "notes.service";
      description = ''
        The systemd unit that is the service. It becomes a check of the deploy, a
        log label and the place where the path of a backup is read from. Null for
        a service that runs on another host.
      '';
    };

    extraUnits = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further units that belong to it: workers, databases.";
    };

    backgroundUnits = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "notes-sync-*.service" ];
      description = ''
        Units that belong to it and do not decide over a deploy, as what they need is
        elsewhere: a login at another host, a name server, a disk of the network. Names
        or shell patterns, which become part of `deploy.units.advisory`: the deploy reports
        one that fails, and so does the alert `UnitFailed`.
      '';
    };

    units = mkOption {
      type = types.listOf types.str;
      readOnly = true;
      internal = true;
      default = lib.optional (config.unit != null) config.unit ++ config.extraUnits;
      description = "All its units.";
    };

    bind = mkOption {
      type = types.str;
      default = "127.0.0.1";
      description = ''
        The numeric address it listens on. For a service on another host, that
        host's address: the proxy connects to it.
      '';
    };

    port = mkOption {
      type = types.nullOr types.port;
      default = null;
      description = "The TCP port of its web interface or API.";
    };

    scheme = mkOption {
      type = types.enum [
        "http"
        "https"
      ];
      default = "http";
      description = "What it speaks on that port.";
    };

    rollback = mkOption {
      type = types.enum [
        "safe"
        "unsafe"
      ];
      default = "safe";
      description = ''
        `unsafe` when the programs of before cannot read its data of after. The
        deploy then asks before it starts, and does not switch back by itself.
      '';
    };

    beforeActivate = mkOption {
      type = types.nullOr (
        types.submodule {
          options = {
            argv = mkOption {
              type = types.nonEmptyListOf types.str;
              description = "Program and arguments; no shell.";
            };
            timeout = mkOption {
              type = types.ints.positive;
              default = 60;
              description = "Seconds it may take.";
            };
          };
        }
      );
      default = null;
      description = "A command run on the machine before the switch, a dump for example. When it fails, the deploy is refused.";
    };
  };
}
