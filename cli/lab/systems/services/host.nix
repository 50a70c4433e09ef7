# What a lab host lacks for this repository's services: an authority to ask for certificates,
# secrets, processors in /sys.
{
  lib,
  config,
  inputs,
  ...
}:
{
  homelab = {
    tls = {
      mode = "internal";
      domains = [ "local.kaifer.dev" ];
    };
    secrets.provider = "plain";
    secrets.directory = "${inputs.deploy}/secrets";
  };

  # The exporter panics at its first request.
  services.prometheus.exporters.node.disabledCollectors = [
    "cpu"
    "cpufreq"
  ];

  # Of Caddy's own unit file, which NixOS takes from the package; a stub has none.
  systemd.services.caddy = lib.mkIf config.services.caddy.enable {
    serviceConfig = {
      Type = "notify";
      AmbientCapabilities = "CAP_NET_ADMIN CAP_NET_BIND_SERVICE";
    };
  };
}
