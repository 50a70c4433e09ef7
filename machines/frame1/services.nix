# What runs on frame1, and under which names.
let
  domain = "local.kaifer.dev";
in
{
  homelab = {
    tls = {
      domains = [ domain ];
      email = "admin@kaifer.dev";
    };

    caddy.enable = true;
    homepage = {
      enable = true;
      site = domain;
    };
    grafana = {
      enable = true;
      site = "grafana.${domain}";
    };
    victoriametrics = {
      enable = true;
      site = "metrics.${domain}";
    };
    loki = {
      enable = true;
      site = "logs.${domain}";
    };
    alloy.enable = true;
    node-exporter.enable = true;
    alerting.enable = true;
    tailscale.enable = true;
    ssh.enable = true;
    backup = {
      enable = true;
      repository = "/var/backup/restic";
    };
  };
}
