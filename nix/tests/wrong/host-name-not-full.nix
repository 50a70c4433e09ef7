# homelab.services.grafana.sites
{ homelab.services.grafana.sites = [ "Grafana Here" ]; }
