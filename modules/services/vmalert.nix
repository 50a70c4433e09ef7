# Evaluates the derived rules on the metrics, and sends alerts to Alertmanager.
{ lib, config, ... }:
let
  cfg = config.homelab.services.vmalert;
  inherit (config.homelab.services) victoriametrics alertmanager node-exporter;
  listen = import ../listen.nix lib;
  endpoint = import ../endpoint.nix lib;
  urlOf = service: "http://${endpoint service.bind service.port}";
  metrics = urlOf victoriametrics;
in
{
  imports = [
    ./victoriametrics.nix
    ./node-exporter.nix
    ./alertmanager.nix
  ];

  options = import ../shipped.nix lib "vmalert" { };

  config = lib.mkMerge [
    {
      homelab.services.alertmanager.enable = lib.mkIf cfg.enable (lib.mkDefault true);
      homelab.services.vmalert = import ../defaults.nix lib {
        title = "vmalert";
        description = "Evaluates alert rules";
        unit = "vmalert-homelab.service";
        startAfter =
          lib.optional alertmanager.enable "alertmanager"
          ++ lib.optional victoriametrics.enable "victoriametrics";
        port = 8880;
        health.api.kind.http.path = "/health";
        metrics.default = { };
        access = {
          open = [ "read" ];
          note = "Rules are in the store; a program of the machine can make it read them again.";
        };
        noBackupReason = "keeps its state in the metrics";
      };
    }

    (lib.mkIf cfg.enable {
      services.vmalert.instances.homelab = {
        enable = true;
        rules.groups = config.homelab.derived.alertGroups;
        settings = {
          "datasource.url" = metrics;
          # Otherwise every alert starts anew after a restart.
          "remoteWrite.url" = metrics;
          "remoteRead.url" = metrics;
          "notifier.url" = [ (urlOf alertmanager) ];
          "httpListenAddr" = listen cfg.bind cfg.port;
        };
      };

      assertions = [
        {
          assertion = node-exporter.enable;
          message = "alerts on units, disks and backups are made of the node exporter's metrics: set homelab.services.node-exporter.enable, or homelab.services.vmalert.enable = false";
        }
        {
          assertion = victoriametrics.enable;
          message = "alerts are evaluated over the metrics of this machine: set homelab.services.victoriametrics.enable, or homelab.services.vmalert.enable = false";
        }
        {
          assertion = alertmanager.enable;
          message = "alerts that fire are sent by Alertmanager: set homelab.services.alertmanager.enable, or homelab.services.vmalert.enable = false";
        }
      ];
    })
  ];
}
