# Services of frame1 whose programs Debian has, and one small site behind the proxy.
# Secrets are none, certificates the proxy's own: a lab host has no authority to ask.
{ inputs, ... }:
{
  networking.hostName = "frame1";

  deploy.ssh = {
    hostname = "frame1";
    user = "root";
  };
  services.deploy-agent.enable = true;

  homelab = {
    tls = {
      mode = "internal";
      domains = [ "local.kaifer.dev" ];
    };
    secrets.provider = "plain";
    secrets.directory = "${inputs.deploy}/secrets";

    caddy.enable = true;
    victoriametrics = {
      enable = true;
      site = "metrics.local.kaifer.dev";
    };
    node-exporter.enable = true;
    ssh.enable = true;
    backup = {
      enable = true;
      repository = "/var/backup/restic";
    };

    # Its state is a DynamicUser's.
    services.notes = {
      title = "Notes";
      unit = "notes.service";
      port = 8000;
      sites = [ "notes.local.kaifer.dev" ];
      health.page.kind.http.path = "/";
      backup.sentinel = "/var/lib/private/notes/notes.txt";
    };
  };

  # A lab host's /sys has no processors: the exporter panics at its first request.
  services.prometheus.exporters.node.disabledCollectors = [
    "cpu"
    "cpufreq"
  ];

  # Of Caddy's own unit file, which NixOS takes from the package; a stub has none.
  systemd.services.caddy.serviceConfig = {
    Type = "notify";
    AmbientCapabilities = "CAP_NET_ADMIN CAP_NET_BIND_SERVICE";
  };

  systemd.services.notes = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      DynamicUser = true;
      StateDirectory = "notes";
    };
    script = ''
      echo "buy milk" > "$STATE_DIRECTORY/notes.txt"
      exec /usr/bin/perl ${./systems/raw/services}/http 8000 0:200
    '';
  };
}
