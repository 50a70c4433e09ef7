# How the service's units run beside the others.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    startAfter = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "database" ];
      description = ''
        Entries of `homelab.services` whose units start before those of this one. An
        order and no more: when one of them fails, this one starts all the same.
      '';
    };

    limits = {
      memory = mkOption {
        type = types.nullOr (types.strMatching "[1-9][0-9]*[KMGT]");
        default = null;
        example = "2G";
        description = "The most memory that each of its units may take. A unit that wants more is killed, and restarts if it is one that does.";
      };

      cpu = mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        example = 150;
        description = "The most time that each of its units gets, in percent of one processor.";
      };

      tasks = mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        example = 512;
        description = "The most processes and threads that each of its units may have.";
      };
    };
  };
}
