# The start page: a tile per site.
{ lib, config, ... }:
let
  cfg = config.homelab.homepage;
  inherit (config.homelab) derived proxy;

  # The page compares the Host header with this list, port and all, and answers
  # its own tiles with an error otherwise.
  hosts = [
    cfg.site
    "127.0.0.1:${toString cfg.port}"
    "localhost:${toString cfg.port}"
  ]
  ++ lib.optional (proxy.publicPort != 443) "${cfg.site}:${toString proxy.publicPort}";

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
  options.homelab.homepage = {
    enable = lib.mkEnableOption "the start page";

    site = lib.mkOption {
      type = lib.types.str;
      example = "local.example.org";
      description = "The start page's full host name.";
    };

    port = lib.mkOption {
      type = lib.types.port;
      default = 3000;
      description = "Where it listens, on loopback.";
    };

    title = lib.mkOption {
      type = lib.types.str;
      default = config.networking.hostName;
      defaultText = lib.literalExpression "config.networking.hostName";
      description = "The page's title.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.homepage-dashboard = {
      enable = true;
      listenPort = cfg.port;
      allowedHosts = lib.concatStringsSep "," hosts;
      settings = {
        inherit (cfg) title;
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

    # It listens on every address otherwise.
    systemd.services.homepage-dashboard.environment.HOSTNAME = "127.0.0.1";

    homelab.services.homepage = {
      title = "Home";
      description = "The start page";
      icon = "homepage.svg";
      group = "Home";
      weight = 0;
      unit = "homepage-dashboard.service";
      inherit (cfg) port;
      sites = [ cfg.site ];
      health.api.kind.http = {
        host = "127.0.0.1:${toString cfg.port}";
        path = "/api/healthcheck";
      };
      noBackupReason = "has no state: its configuration is in the flake";
    };
  };
}
