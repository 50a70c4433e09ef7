# In front of all sites, with the metrics.
{
  homelab.services = {
    caddy.enable = true;
    victoriametrics = {
      enable = true;
      sites = [ "metrics.local.kaifer.dev" ];
    };
  };
}
