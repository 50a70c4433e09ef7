# homelab.services.grafana.health.x.kind
{
  homelab.services.grafana.health.x.kind = {
    unit.unit = "a.service";
    tcp.port = 1;
  };
}
