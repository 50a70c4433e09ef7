# The start page: a tile per site.
{ lib, config, ... }:
let
  cfg = config.homelab.services.homepage;
  inherit (config.homelab) derived proxy;

  # The page compares the Host header with this list, including the port. It answers its own tiles
  # with an error if it is not in the list.
  sites = map (site: site.host) cfg.siteList;
  hosts =
    sites
    ++ [
      "127.0.0.1:${toString cfg.port}"
      "localhost:${toString cfg.port}"
    ]
    ++ lib.optionals (proxy.publicPort != 443) (
      map (site: "${site}:${toString proxy.publicPort}") sites
    );

  tile = entry: {
    ${entry.title} = lib.filterAttrs (_: value: value != null && value != "") {
      inherit (entry)
        href
        icon
        description
        widget
        ;
      siteMonitor = entry.monitor;
    };
  };
in
{
  options = import ../shipped.nix lib "homepage" {
    pageTitle = lib.mkOption {
      type = lib.types.str;
      default = config.networking.hostName;
      defaultText = lib.literalExpression "config.networking.hostName";
      description = "The page's title.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.homepage = import ../defaults.nix lib {
        title = "Home";
        description = "The start page";
        icon = "homepage.svg";
        group = "Home";
        weight = 0;
        unit = "homepage-dashboard.service";
        port = 3000;
        access = {
          open = [ "read" ];
          note = "Widgets ask with the secrets that you give them, and show the answers to everybody who sees the page.";
        };
        health.api.kind.http = {
          host = "127.0.0.1:${toString cfg.port}";
          path = "/api/healthcheck";
        };
        noBackupReason = "has no state: its configuration is in the flake";
      };
    }

    (lib.mkIf cfg.enable {
      services.homepage-dashboard = {
        enable = true;
        listenPort = cfg.port;
        allowedHosts = lib.concatStringsSep "," hosts;
        settings = {
          title = cfg.pageTitle;
          hideVersion = true;
          disableUpdateCheck = true;
          statusStyle = "dot";
        };
        widgets = [
          {
            resources = {
              cpu = true;
              memory = true;
              disk = "/";
            };
          }
        ];
        services = lib.mapAttrsToList (group: tiles: { ${group} = map tile tiles; }) derived.tiles;
      };

      # Otherwise it listens on every address.
      systemd.services.homepage-dashboard.environment.HOSTNAME = lib.mkDefault cfg.bind;
    })
  ];
}
