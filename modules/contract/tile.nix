# How the service looks on the start page.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    tile.enable = import ./enabled.nix lib "Whether it has a tile, when it has a site.";

    icon = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "sh-notes";
      description = "`sh-NAME`, `si-NAME`, `mdi-NAME` or `NAME.svg`.";
    };

    group = mkOption {
      type = types.str;
      default = "Services";
      description = "The start page's group.";
    };

    weight = mkOption {
      type = types.int;
      default = 100;
      description = "Place within the group; small is first.";
    };

    widget = mkOption {
      type = types.nullOr (types.attrsOf types.anything);
      default = null;
      description = "The tile's widget, in the start page's own words.";
    };
  };
}
