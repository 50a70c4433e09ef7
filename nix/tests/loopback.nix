# The contract says loopback; here is what the programs themselves are told.
{ inputs, lib, ... }:
let
  inherit (inputs.self.nixosConfigurations.frame1.config) services systemd;
  logs = services.loki.configuration.server;
  told = {
    homepage = systemd.services.homepage-dashboard.environment.HOSTNAME;
    grafana = services.grafana.settings.server.http_addr;
    victoriametrics = services.victoriametrics.listenAddress;
    loki = logs.http_listen_address;
    loki-grpc = logs.grpc_listen_address;
    loki-ring = services.loki.configuration.common.instance_addr;
    alloy = lib.concatStrings (
      lib.filter (lib.hasPrefix "--server.http.listen-addr=") services.alloy.extraFlags
    );
    node-exporter = services.prometheus.exporters.node.listenAddress;
    alertmanager = services.prometheus.alertmanager.listenAddress;
    # Empty means that there is no cluster.
    alertmanager-cluster = lib.concatStrings (
      lib.filter (lib.hasPrefix "--cluster.listen-address=") services.prometheus.alertmanager.extraFlags
    );
    vmalert = services.vmalert.instances.homelab.settings.httpListenAddr;
  };
in
{
  "every program but the proxy, SSH and the tailnet is told to listen on loopback" = {
    expr = told;
    expected = {
      homepage = "127.0.0.1";
      grafana = "127.0.0.1";
      victoriametrics = "127.0.0.1:8428";
      loki = "127.0.0.1";
      loki-grpc = "127.0.0.1";
      loki-ring = "127.0.0.1";
      alloy = "--server.http.listen-addr=127.0.0.1:12345";
      node-exporter = "127.0.0.1";
      alertmanager = "127.0.0.1";
      alertmanager-cluster = "--cluster.listen-address=";
      vmalert = "127.0.0.1:8880";
    };
  };
  "a service that is added here is looked at" = {
    expr = lib.subtractLists (lib.attrNames told ++ [ "caddy" "ssh" "tailscale" "restic" ]) (
      lib.attrNames inputs.self.nixosConfigurations.frame1.config.homelab.enabledServices
    );
    expected = [ ];
  };
}
