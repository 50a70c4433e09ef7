# A service that uses the contract's main fields. Its name is a parameter.
name: {
  homelab.services.${name} = {
    title = "Demo";
    unit = "${name}.service";
    port = 7999;
    sites = [
      {
        host = "${name}.local.kaifer.dev";
        routes = {
          "/graphs/*" = {
            service = "grafana";
            stripPrefix = true;
          };
          "/admin*".deny = 404;
        };
      }
      {
        host = "${name}.kaifer.dev";
        audience = "tailnet";
      }
    ];
    auth.kind = "native";
    health.api = {
      grace = 45;
      kind.http.path = "/health";
    };
    metrics.default = { };
    datasources."${name}-source".type = "prometheus";
    dashboards.main = ./demo-dashboard.json;
    alerts.DemoBroken = {
      expr = "demo_broken == 1";
      summary = "the demo is broken";
    };
    extraPorts.peers = {
      port = 7998;
      protocol = "udp";
      bind = "0.0.0.0";
      openFirewall = true;
    };
    backup.sentinel = "/var/lib/private/demo-state/state.json";
    secrets.demo-token = { };
    startAfter = [ "alloy" ];
    limits = {
      memory = "512M";
      cpu = 150;
      tasks = 64;
    };
    rollback = "unsafe";
    beforeActivate.argv = [ "/run/current-system/sw/bin/true" ];
  };
  homelab.tls.domains = [ "kaifer.dev" ];
  systemd.services.${name} = {
    script = "exec sleep infinity";
    serviceConfig = {
      DynamicUser = true;
      StateDirectory = "demo-state";
    };
  };
}
