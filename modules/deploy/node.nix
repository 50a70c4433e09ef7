# The machine as `deploy` sees it, in machine.json's names. A fleet turns these
# options into `deploy.nodes.NAME`; nothing of them is in the closure.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  seconds =
    default: description:
    mkOption {
      type = types.ints.positive;
      inherit default;
      description = "${description}, in seconds.";
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
        default = config.networking.hostName;
        defaultText = lib.literalExpression "config.networking.hostName";
        description = "Name, alias of ssh_config, or address.";
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

    push = {
      substitute = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the machine first looks for paths in its own substituters.";
      };
      compress = mkOption {
        type = types.bool;
        default = false;
        description = "Whether SSH compresses the stream.";
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
          "gate"
          "warn"
          "ignore"
        ];
        default = "gate";
        description = "What a unit broken by the deploy does: the machine goes back, it is reported, it is not looked at.";
      };
      ignore = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Units that are never counted.";
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
