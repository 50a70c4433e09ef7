# The machine as `deploy` sees it, in machine.json's names. A fleet turns these options into
# `deploy.nodes.NAME`. Only `units.advisory` and `units.deciding` are in the closure, because they
# name units of this very system.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  inherit (config.networking) hostName;
  inNoFleet = throw "deploy.ssh.hostname: networking.hostName is empty, so it has no default. Set it to the machine's name, an alias of ssh_config, or an address.";
  fleetName = config.homelab.fleet.name or "";
  name = if fleetName != "" then fleetName else inNoFleet;
  seconds =
    default: description:
    mkOption {
      type = types.ints.positive;
      inherit default;
      description = "${description}, in seconds.";
    };
  # What the agent reads as the name of a unit or a pattern of names: docs/units.md.
  unitPattern = types.strMatching "[^[:space:]/]+" // {
    description = "name of a unit or pattern of names";
  };
  maybe =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
in
{
  options.deploy = {
    tags = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Words to select machines by. `manual` keeps it out of a deploy of all machines.";
    };

    ssh = {
      hostname = mkOption {
        type = types.str;
        default = if hostName != "" then hostName else name;
        defaultText = lib.literalExpression "config.networking.hostName";
        description = "Name, alias of ssh_config, or address. Where `networking.hostName` is empty, as in images for clouds, the machine's name in the fleet.";
      };
      addresses = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Other names or addresses, tried in turn.";
      };
      port = maybe types.port "The port, or what ssh_config says.";
      user = maybe types.str "The login user, or what ssh_config says.";
      opts = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "More arguments for `ssh`.";
      };
      hostKey = maybe types.str "The host key, as `ssh-ed25519 AAAA…`. Null means that known_hosts decides.";
    };

    sudo = mkOption {
      type = types.nullOr (
        types.submodule {
          options = {
            command = mkOption {
              type = types.nonEmptyListOf types.str;
              default = [ "sudo" ];
              description = "What a command line is appended to.";
            };
            ask = mkOption {
              type = types.bool;
              default = false;
              description = "Whether it asks for a password.";
            };
          };
        }
      );
      default = if config.deploy.ssh.user == "root" then null else { };
      defaultText = lib.literalExpression ''if ssh.user == "root" then null else { }'';
      description = "How the login user becomes root. Null when it is root.";
    };

    image = mkOption {
      type = types.nullOr (types.enum [ "vm" ]);
      default = null;
      description = "What `deploy build` makes in place of the system: `vm` is `system.build.vm`, which starts it as a virtual machine.";
    };

    build.where = mkOption {
      type = types.str;
      default = "local";
      example = "target";
      description = "`local` (with the builders that Nix knows), `target`, or the name of a host.";
    };

    memory = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      example = 8192;
      description = "The least memory that the machine needs, in MiB. `deploy install` refuses a computer with less.";
    };

    push = {
      substitute = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the machine first looks for paths in its own substituters.";
      };
      compress = mkOption {
        type = types.either (types.enum [ "auto" "never" ]) (types.ints.between 1 19);
        default = "auto";
        example = 3;
        description = "How the stream is compressed: `auto` at the level that keeps the line full, `never`, or a level of zstd's.";
      };
    };

    confirm = {
      hostname = maybe types.str "The new system's name or address, when it moves.";
      port = maybe types.port "Its port, when that changes.";
      hostKey = maybe types.str "Its host key, when that changes.";
      timeout = seconds 60 "From the end of the checks until the machine goes back";
    };

    timeouts = {
      activation = seconds 240 "Limit of the switch";
      check = seconds 180 "Limit of the checks, grace and watch included";
      rollback = seconds 240 "Limit of the way back";
    };

    units = {
      policy = mkOption {
        type = types.enum [
          "required"
          "advisory"
          "ignore"
        ];
        default = "required";
        description = "What a unit broken by the deploy does: the machine goes back, it is reported, it is not looked at.";
      };
      ignore = mkOption {
        type = types.listOf unitPattern;
        default = [ ];
        example = [ "fwupd.service" ];
        description = "Units that are not looked at: names, or patterns of `systemctl` (`*`, `?`, `[…]`).";
      };
      advisory = mkOption {
        type = types.listOf unitPattern;
        default = [ ];
        example = [
          "openvpn-*"
          "backup-offsite"
        ];
        description = "Units that are reported and never roll the machine back, as names or patterns. The `backgroundUnits` of services are among them, and the units of a service whose `unitCheck.level` is not `required`.";
      };
      deciding = mkOption {
        type = types.nullOr (types.listOf unitPattern);
        default = null;
        example = [
          "sshd"
          "caddy"
        ];
        description = "The only units that roll the machine back, as names or patterns; all others are reported. Null: all decide but those that [units.md](units.md) lists. What is in `advisory` does not decide in either case.";
      };
      watch = mkOption {
        type = types.ints.unsigned;
        default = 10;
        description = "How long a unit touched by the deploy must live, in seconds.";
      };
    };

    rollback.reboot = mkOption {
      type = types.bool;
      default = true;
      description = "Whether a machine that nothing else brings back is rebooted.";
    };
  };
}
