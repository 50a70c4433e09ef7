# Homepage's files. From github.com/gethomepage/homepage: docs/configs/services.md,
# docs/configs/settings.md, docs/configs/info-widgets.md.
{ lib, kinds }:
let
  inherit (kinds) text number yes anything each;
  one = what: rule: {
    rules = [
      (entry: lib.optional (lib.length (lib.attrNames entry) != 1) "${what} has one name")
    ];
    values = rule;
  };
  widget = {
    required = [ "type" ];
    rules = [ ];
    fields = each text [ "type" "url" "key" "username" "password" "slug" ] // {
      fields.items = text;
      headers.values = text;
      version = number;
      highlight.values = anything;
    };
  };
  tile = {
    fields =
      each text [
        "href"
        "icon"
        "description"
        "siteMonitor"
        "ping"
        "target"
        "id"
        "server"
        "container"
        "statusStyle"
      ]
      // {
        weight = number;
        showStats = yes;
        keywords.items = text;
        inherit widget;
        widgets.items = widget;
      };
    rules = [
      (tile: lib.optional (tile ? widget && tile ? widgets) "either widget or widgets")
      (
        tile:
        lib.optional (
          tile ? icon
          && builtins.match "(mdi|si|sh)-.+|https?://.+|/icons/.+|[a-z0-9-]+(\\.(png|svg|webp))?" tile.icon == null
        ) "${tile.icon or ""} is no icon"
      )
    ];
  };
in
{
  # A list of groups, each a map with one name and a list of tiles.
  services.items = one "a group" { items = one "a tile" tile; };

  settings.fields =
    each text [
      "title"
      "description"
      "startUrl"
      "favicon"
      "headerStyle"
      "base"
      "language"
      "target"
    ]
    // each yes [
      "useEqualHeights"
      "fullWidth"
      "hideVersion"
      "hideErrors"
      "disableUpdateCheck"
      "disableCollapse"
      "showStats"
    ]
    // {
      theme = text // {
        one = [
          "dark"
          "light"
        ];
      };
      color = text;
      statusStyle = text // {
        one = [
          "dot"
          "basic"
        ];
      };
      layout = anything;
    };

  widgets.items = one "a widget" anything;
}
