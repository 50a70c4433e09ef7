# The option `homelab.services.grafana.prot' does not exist
{ homelab.services.grafana.prot = 3001; }
