# What NixOS's own modules say about the units of the services used here, for a
# nixpkgs that knows options only. Each line names the file it was read from.
{ config, lib, ... }:
let
  inherit (config) services;
in
{
  config = lib.mkMerge [
    # nixos/modules/services/web-servers/caddy/default.nix
    (lib.mkIf services.caddy.enable {
      systemd.services.caddy.serviceConfig = {
        User = services.caddy.user;
        StateDirectory = [ "caddy" ];
      };
      users.users.caddy = {
        isSystemUser = true;
        group = "caddy";
      };
      users.groups.caddy = { };
    })

    # nixos/modules/services/monitoring/grafana.nix
    (lib.mkIf services.grafana.enable {
      systemd.services.grafana.serviceConfig.User = "grafana";
      users.users.grafana = {
        isSystemUser = true;
        group = "grafana";
      };
      users.groups.grafana = { };
    })

    # nixos/modules/services/databases/victoriametrics.nix
    (lib.mkIf services.victoriametrics.enable {
      systemd.services.victoriametrics.serviceConfig = {
        DynamicUser = true;
        StateDirectory = services.victoriametrics.stateDir;
      };
    })

    # nixos/modules/services/monitoring/loki.nix
    (lib.mkIf services.loki.enable {
      systemd.services.loki.serviceConfig.User = services.loki.user;
      users.users.loki = {
        isSystemUser = true;
        group = "loki";
      };
      users.groups.loki = { };
    })

    # nixos/modules/services/monitoring/alloy.nix
    (lib.mkIf services.alloy.enable {
      systemd.services.alloy.serviceConfig = {
        DynamicUser = true;
        StateDirectory = "alloy";
      };
    })

    # nixos/modules/services/misc/homepage-dashboard.nix
    (lib.mkIf services.homepage-dashboard.enable {
      systemd.services.homepage-dashboard.serviceConfig.DynamicUser = true;
    })

    # nixos/modules/services/monitoring/prometheus/alertmanager.nix
    (lib.mkIf services.prometheus.alertmanager.enable {
      systemd.services.alertmanager.serviceConfig = {
        DynamicUser = true;
        StateDirectory = "alertmanager";
      };
    })
  ];
}
