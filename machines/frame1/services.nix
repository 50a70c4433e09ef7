# The services of frame1 and their names.
let
  domain = "local.kaifer.dev";
in
{
  homelab = {
    tls = {
      domains = [ domain ];
      email = "admin@kaifer.dev";
    };

    services = {
      caddy.enable = true;
      homepage = {
        enable = true;
        sites = [ domain ];
      };
      grafana = {
        enable = true;
        sites = [ "grafana.${domain}" ];
      };
      victoriametrics = {
        enable = true;
        sites = [ "metrics.${domain}" ];
      };
      loki = {
        enable = true;
        sites = [ "logs.${domain}" ];
      };
      alloy.enable = true;
      node-exporter.enable = true;
      vmalert.enable = true;
      alertmanager.watchdog.enable = true;
      tailscale.enable = true;
      ssh.enable = true;
      restic = {
        enable = true;
        # This brings back what somebody deleted, but not a lost disk. Use another host for that,
        # such as "sftp:backup@nas.local.kaifer.dev:/frame1".
        repository = "/var/backup/restic";
        sameDiskReason = "frame1 has one disk, and nothing on it yet that is nowhere else";
      };
    };
  };
}
