# What must hold after a deploy. Each entry is one check of machine.json.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;

  inherit (import ./decides.nix lib) level grace;
  enabled = import ./enabled.nix lib;

  address = mkOption {
    type = types.str;
    default = config.bind;
    defaultText = lib.literalMD "the service's bind";
    description = "Numeric address to connect to.";
  };
  port = mkOption {
    type = types.port;
    default = if config.port == null then 0 else config.port;
    defaultText = lib.literalMD "the service's port";
    description = "The port.";
  };
  fields = options: types.submodule { inherit options; };

  kinds = {
    unit = fields {
      unit = mkOption {
        type = types.str;
        description = "A unit that is active.";
      };
    };
    tcp = fields { inherit address port; };
    http = fields {
      inherit address port;
      host = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The Host header; null means the address.";
      };
      sni = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Speak TLS with this server name; null means plain HTTP.";
      };
      path = mkOption {
        type = types.strMatching "/.*";
        default = "/";
        description = "Path with query.";
      };
      status = mkOption {
        type = types.ints.between 100 599;
        default = 200;
        description = "The status that is expected.";
      };
      contains = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Text that the body must contain.";
      };
    };
    certificate = fields {
      inherit address port;
      sni = mkOption {
        type = types.str;
        description = "The server name to ask for.";
      };
      issuer = mkOption {
        type = types.str;
        description = "Text that the issuer's name must contain.";
      };
    };
    file = fields {
      path = mkOption {
        type = types.strMatching "/.*";
        description = "A file that exists and is not empty. Links are followed.";
      };
      mode = mkOption {
        type = types.nullOr (types.strMatching "0?[0-7]{3,4}");
        default = null;
        example = "0400";
        description = "Its permissions; null means any.";
      };
      owner = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Its owner; null means any.";
      };
      group = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Its group; null means any.";
      };
    };
    command = fields {
      argv = mkOption {
        type = types.nonEmptyListOf types.str;
        description = "Program and arguments; no shell. Status 0 is well.";
      };
    };
  };
in
{
  options = {
    health = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            enable = enabled "Whether it is checked.";
            level = level "`required` decides over the deploy; `advisory` is watched and reported after the commit; `required-once-passed` is `advisory` until it has passed in a deploy that was committed on the machine, and `required` from then on.";
            grace = grace 30 "Seconds after the switch in which it may still fail.";
            kind = mkOption {
              type = types.attrTag (
                lib.mapAttrs (
                  kind: type:
                  mkOption {
                    inherit type;
                    description = "A check of kind ${kind}.";
                  }
                ) kinds
              );
              description = "What is checked: exactly one of unit, tcp, http, certificate, file, command.";
            };
          };
        }
      );
      default = { };
      description = ''
        Checks of this service, by a name of your own. `unit` and `sites` bring
        theirs by themselves.
      '';
    };

    unitCheck = {
      level = level "What its units say about a deploy. Unless it is `required`, they are among `deploy.units.advisory` too.";
      grace = grace 30 "Seconds after the switch in which a unit may still not be active.";
    };

    noHealthCheckReason = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Why this service has no check at all.";
    };
  };
}
