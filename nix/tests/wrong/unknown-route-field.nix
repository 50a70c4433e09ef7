# routes."/api/*".to' does not exist
{
  homelab.services.grafana.sites = [
    {
      host = "grafana.local.kaifer.dev";
      routes."/api/*".to = "loki";
    }
  ];
}
