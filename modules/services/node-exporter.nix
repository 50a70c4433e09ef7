# Metrics of the machine and of its units.
{ lib, config, ... }:
let
  cfg = config.homelab.services.node-exporter;
  inherit (config.homelab) fleet;
in
{
  options = import ../shipped.nix lib "node-exporter" {
    textfileDirectory = lib.mkOption {
      type = lib.types.path;
      default = "/var/lib/node-exporter-textfile";
      description = "Files `*.prom` in this folder are exported too: backups and deploys leave theirs there.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.node-exporter = import ../defaults.nix lib {
        title = "Node exporter";
        description = "Metrics of the machine";
        unit = "prometheus-node-exporter.service";
        port = 9100;
        bind = fleet.listen (!lib.elem fleet.monitor [ null fleet.name ]);
        health.metrics.kind.http = {
          path = "/metrics";
          contains = "node_uname_info";
        };
        metrics.default = { };
        access.open = [ "read" ];
        dashboards.machine = ./dashboards/machine.json;
        alerts = {
          DiskAlmostFull = {
            expr = ''node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay"} / node_filesystem_size_bytes < 0.1'';
            for = "15m";
            summary = "{{ $labels.mountpoint }} has less than a tenth of its space left";
          };
          UnitFailed = {
            expr = ''node_systemd_unit_state{state="failed"} == 1'';
            summary = "{{ $labels.name }} has failed";
          };
        };
        noBackupReason = "has no state";
      };
    }

    (lib.mkIf cfg.enable {
      services.prometheus.exporters.node = {
        enable = true;
        listenAddress = cfg.bind;
        inherit (cfg) port;
        enabledCollectors = [
          "systemd"
          "processes"
        ];
        extraFlags = [ "--collector.textfile.directory=${cfg.textfileDirectory}" ];
      };

      deploy.agent.textfileDirectory = lib.mkDefault cfg.textfileDirectory;
      systemd.tmpfiles.rules = [ "d ${cfg.textfileDirectory} 0755 root root -" ];
    })
  ];
}
