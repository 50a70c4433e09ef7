# homelab.services.grafana.health.api.level
{ homelab.services.grafana.health.api.level = "soft"; }
