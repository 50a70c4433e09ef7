# Evaluates the derived rules.
{ lib, config, ... }:
let
  cfg = config.homelab.alerting;
  metrics = "http://127.0.0.1:${toString config.homelab.victoriametrics.port}";
in
{
  config = lib.mkIf cfg.enable {
    services.vmalert.instances.homelab = {
      enable = true;
      rules.groups = config.homelab.derived.alertGroups;
      settings = {
        "datasource.url" = metrics;
        # Else every alert starts anew after a restart.
        "remoteWrite.url" = metrics;
        "remoteRead.url" = metrics;
        "notifier.url" = [ "http://127.0.0.1:${toString cfg.alertmanagerPort}" ];
        "httpListenAddr" = "127.0.0.1:${toString cfg.vmalertPort}";
      };
    };

    homelab.services.vmalert = {
      title = "vmalert";
      description = "Evaluates alert rules";
      unit = "vmalert-homelab.service";
      startAfter = [
        "alertmanager"
      ]
      ++ lib.optional config.homelab.victoriametrics.enable "victoriametrics";
      port = cfg.vmalertPort;
      health.api.kind.http.path = "/health";
      metrics.default = { };
      noBackupReason = "keeps its state in the metrics";
    };
  };
}
