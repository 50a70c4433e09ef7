# What people and programs can do to the service, and how far its sites let them.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.access = {
    open = mkOption {
      type = types.nullOr (
        types.listOf (
          types.enum [
            "read"
            "write"
            "delete"
            "admin"
          ]
        )
      );
      default = null;
      example = [ "read" ];
      description = ''
        What whoever connects to its ports can do without a login. Every program of the
        machine connects to a port on loopback. Null means that nobody said; docs/access.md
        has the answers of all services.
      '';
    };

    sitePaths = mkOption {
      type = types.nullOr (types.listOf types.str);
      default = null;
      example = [
        "/"
        "/api/query*"
      ];
      description = ''
        The paths that its sites let through without a login of the proxy's, written as those
        of routes; every other one answers 403. Null means all. A service that can be changed
        without a login needs it, or `auth.kind = "forward"`.
      '';
    };

    note = mkOption {
      type = types.str;
      default = "";
      description = "One sentence on what remains open, for docs/access.md.";
    };
  };
}
