# homelab.services.grafana.health.x.kind
{ homelab.services.grafana.health.x.kind.htpp.path = "/"; }
