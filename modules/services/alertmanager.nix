# Sends alerts to one webhook, whose address is a secret, and tells an external watcher that this
# still works: metrics, rules and Alertmanager cannot report their own death. Proof:
# nix/tests/real/programs.sh stops the metrics, and the watcher stops hearing from it.
{ lib, config, ... }:
let
  cfg = config.homelab.services.alertmanager;
in
{
  options = import ../shipped.nix lib "alertmanager" {
    repeat = lib.mkOption {
      type = lib.types.strMatching "[0-9]+(m|h|d)";
      default = "12h";
      description = "After how long an alert that still fires is sent again.";
    };

    watchdog = {
      enable = lib.mkEnableOption "a dead man's switch: while alerts work, the address in the secret `alert-watchdog` gets a request every few minutes, and who listens there reports when it gets none. Any service for that does, such as healthchecks.io";

      interval = lib.mkOption {
        type = lib.types.strMatching "[0-9]+(m|h)";
        default = "5m";
        description = "How often the watcher gets a request, give or take a minute. It should report after twice that time without one.";
      };
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.alertmanager = import ../defaults.nix lib {
        title = "Alertmanager";
        description = "Sends alerts";
        unit = "alertmanager.service";
        port = 9093;
        health.api.kind.http.path = "/-/healthy";
        metrics.default = { };
        access = {
          open = [
            "read"
            "write"
            "delete"
          ];
          note = "A program of the machine can send alerts and silence them.";
        };
        noBackupReason = "holds silences and what was sent; both can be lost";
        # This alert always fires.
        alerts.Watchdog = lib.mkIf cfg.watchdog.enable {
          expr = "vector(1)";
          for = "0s";
          severity = "info";
          summary = "alerts are evaluated and sent";
        };
        secrets.alert-watchdog = lib.mkIf cfg.watchdog.enable {
          hint = "the URL of the watcher that is asked while alerts work";
          restartUnits = [ "alertmanager.service" ];
        };
        secrets.alert-webhook = {
          hint = "the URL that alerts are posted to";
          restartUnits = [ "alertmanager.service" ];
        };
      };
    }

    (lib.mkIf cfg.enable {
      services.prometheus.alertmanager = {
        enable = true;
        listenAddress = cfg.bind;
        inherit (cfg) port;
        # A single instance needs no cluster, whose port would listen on every address.
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
            routes = lib.optional cfg.watchdog.enable {
              receiver = "watchdog";
              matchers = [ ''alertname="Watchdog"'' ];
              group_wait = "0s";
              # A request is repeated at the first of these intervals that `repeat_interval` allows.
              group_interval = "1m";
              repeat_interval = cfg.watchdog.interval;
            };
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
          ]
          ++ lib.optional cfg.watchdog.enable {
            name = "watchdog";
            webhook_configs = [
              {
                url_file = "/run/credentials/alertmanager.service/watchdog";
                # To the watcher, every request means that all is well.
                send_resolved = false;
              }
            ];
          };
        };
      };

      # A DynamicUser cannot own the secret, so systemd passes it on.
      systemd.services.alertmanager.serviceConfig.LoadCredential = [
        "webhook:${config.homelab.secrets.files.alert-webhook.path}"
      ]
      ++ lib.optional cfg.watchdog.enable "watchdog:${config.homelab.secrets.files.alert-watchdog.path}";
    })
  ];
}
