# One path of a site: who answers there and for whom, or that it is closed.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    service = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "notes-api";
      description = "The entry of `homelab.services` that answers; null means the site's own.";
    };

    port = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "api";
      description = "The name of one of its `extraPorts`; null means its `port`.";
    };

    stripPrefix = mkOption {
      type = types.bool;
      default = false;
      description = "Whether it sees paths without what the route begins with.";
    };

    audience = mkOption {
      type = types.nullOr (import ./audience.nix lib);
      default = null;
      description = "Who may reach it; null means whoever may reach the site.";
    };

    deny = mkOption {
      type = types.nullOr (types.ints.between 400 499);
      default = null;
      example = 404;
      description = "The status that everybody gets there. The deploy checks that it is so.";
    };
  };
}
