# grafana and homepage both listen on tcp port 3000: change homelab.services.grafana.port or homelab.services.homepage.port
{ homelab.services.grafana.port = 3000; }
