# homelab.services.grafana.limits.memory
{ homelab.services.grafana.limits.memory = "2 GB"; }
