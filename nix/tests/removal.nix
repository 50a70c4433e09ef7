# A service that is switched off or removed leaves no trace.
{
  inputs,
  lib,
  demo,
  ...
}:
let
  frame1 = inputs.self.nixosConfigurations.frame1;
  demoOff = {
    imports = [ (import ./demo.nix demo) ];
    homelab.services.${demo}.enable = false;
  };
  off = (frame1.extendModules { modules = [ demoOff ]; }).config;

  plain = value: builtins.unsafeDiscardStringContext (builtins.toJSON value);
  # A path turns into a copy in the store, which a missing file cannot have.
  withoutPaths = derived: derived // { secrets = lib.mapAttrs (_: secret: removeAttrs secret [ "file" ]) derived.secrets; };
  derivedOf = config: plain (withoutPaths config.homelab.derived);

  # Every shipped service that can be switched off by one option.
  shipped = {
    homepage = "homepage";
    grafana = "grafana";
    loki = "loki";
    alloy = "alloy";
    node-exporter = "node-exporter";
    tailscale = "tailscale";
  };
  without =
    service:
    (frame1.extendModules {
      modules = [ { homelab.${service}.enable = lib.mkForce false; } ];
    }).config;

  # Where a service could have left something. `"NAME"` and `NAME.unit` are traces;
  # `grafana.svg` elsewhere would be one too.
  surroundings =
    config:
    plain {
      inherit (config.homelab) manifest;
      derived = withoutPaths config.homelab.derived;
      vhosts = config.services.caddy.virtualHosts;
      backups = lib.attrNames config.services.restic.backups;
      jobs = config.services.victoriametrics.prometheusConfig.scrape_configs;
      groups = config.services.vmalert.instances.homelab.rules.groups;
      tiles = config.services.homepage-dashboard.services;
      # Its language has words that begin as a service is named.
      logs = "\n" + config.environment.etc."alloy/config.alloy".text or "";
      inherit (config.networking.firewall) allowedTCPPorts allowedUDPPorts;
    };
in
{
  "a service that is switched off changes nothing but its domain" = {
    expr = derivedOf off;
    expected = derivedOf (frame1.extendModules { modules = [ { homelab.tls.domains = [ "kaifer.dev" ]; } ]; }).config;
  };
}
// lib.mapAttrs' (
  name: service:
  lib.nameValuePair "without ${name} nothing names it" {
    expr = lib.hasInfix ''"${name}"'' (surroundings (without service)) || lib.hasInfix ''"${name}.'' (surroundings (without service));
    expected = false;
  }
) shipped
