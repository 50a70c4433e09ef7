# One site: its name, who may reach it, and where its paths go.
{ lib, name, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    host = mkOption {
      default = name;
      defaultText = lib.literalMD "the site's name";
      type = types.strMatching "[a-z0-9]([a-z0-9.-]*[a-z0-9])?";
      example = "notes.local.example.org";
      description = "The full host name, lower case.";
    };

    order = mkOption {
      type = types.int;
      default = 100;
      description = "Its place among the service's sites; people are sent to the smallest. In a list it is the place there.";
    };

    audience = mkOption {
      type = import ./audience.nix lib;
      default = "lan";
      description = ''
        Who may reach it. `lan` is private addresses and the tailnet, `tailnet`
        the tailnet alone. The proxy refuses everybody else.
      '';
    };

    routes = mkOption {
      type = types.attrsOf (types.submodule ./route.nix);
      default = { };
      example = lib.literalExpression ''
        {
          "/api/*".service = "notes-api";
          "/admin/*".deny = 404;
        }
      '';
      description = ''
        Paths that do not go where the rest of the site goes. `/api/*` is `/api` and
        all below it, `/api*` all that begins so, `/api` that path alone. The longest
        one that fits counts, whatever the order.
      '';
    };
  };
}
