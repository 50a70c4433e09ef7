# Sends what fires to one webhook, whose address is a secret.
{ lib, config, ... }:
let
  cfg = config.homelab.alerting;
in
{
  config = lib.mkIf cfg.enable {
    services.prometheus.alertmanager = {
      enable = true;
      listenAddress = "127.0.0.1";
      port = cfg.alertmanagerPort;
      # One alone needs no cluster, whose port would listen on every address.
      extraFlags = [ "--cluster.listen-address=" ];
      configuration = {
        route = {
          receiver = "webhook";
          group_by = [
            "alertname"
            "service"
          ];
          group_wait = "30s";
          group_interval = "5m";
          repeat_interval = cfg.repeat;
        };
        receivers = [
          {
            name = "webhook";
            webhook_configs = [
              {
                url_file = "/run/credentials/alertmanager.service/webhook";
                send_resolved = true;
              }
            ];
          }
        ];
      };
    };

    # A DynamicUser cannot own the secret: systemd hands it over.
    systemd.services.alertmanager.serviceConfig.LoadCredential = [
      "webhook:${config.homelab.secrets.files.alert-webhook.path}"
    ];

    homelab.services.alertmanager = {
      title = "Alertmanager";
      description = "Sends alerts";
      unit = "alertmanager.service";
      port = cfg.alertmanagerPort;
      health.api.kind.http.path = "/-/healthy";
      metrics.default = { };
      noBackupReason = "holds silences and what was sent; both can be lost";
      secrets.alert-webhook = {
        hint = "the URL that alerts are posted to";
        restartUnits = [ "alertmanager.service" ];
      };
    };
  };
}
