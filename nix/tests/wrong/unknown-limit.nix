# The option `homelab.services.grafana.limits.ram' does not exist
{ homelab.services.grafana.limits.ram = "2G"; }
