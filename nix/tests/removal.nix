# A service that is switched off or removed leaves no trace.
{
  inputs,
  lib,
  demo,
  smallest,
  ...
}@arguments:
let
  frame1 = inputs.self.nixosConfigurations.frame1;
  demoOff = {
    imports = [ (import ./demo.nix demo) ];
    homelab.services.${demo}.enable = false;
  };
  off = (frame1.extendModules { modules = [ demoOff ]; }).config;
  withDomain =
    (frame1.extendModules { modules = [ { homelab.tls.domains = [ "kaifer.dev" ]; } ]; }).config;

  plain = value: builtins.unsafeDiscardStringContext (builtins.toJSON value);
  # A path is copied to the store, which fails for a missing file.
  withoutPaths = derived: derived // { secrets = lib.mapAttrs (_: secret: removeAttrs secret [ "file" ]) derived.secrets; };
  derivedOf = config: plain (withoutPaths config.homelab.derived);

  # All shipped services together, and each one removed in turn. Only values are compared, because
  # other services need some of them and a machine without those is refused.
  shipped = import ./shipped arguments;
  together = smallest ([ shipped.ground ] ++ map shipped.exampleOf shipped.names);
  without =
    name:
    (together.extendModules {
      modules = [ { homelab.services.${name}.enable = lib.mkForce false; } ];
    }).config;

  # Where a service could leave a trace. `"NAME"` and `NAME.unit` are traces; `grafana.svg`
  # elsewhere would be one too.
  surroundings =
    config:
    plain {
      inherit (config.homelab) manifest;
      derived = withoutPaths config.homelab.derived;
      vhosts = config.services.caddy.virtualHosts;
      backups = lib.attrNames config.services.restic.backups;
      jobs = config.services.victoriametrics.prometheusConfig.scrape_configs or [ ];
      alerts = lib.mapAttrs (_: instance: instance.rules) config.services.vmalert.instances;
      tiles = config.services.homepage-dashboard.services;
      # Its language has words that begin with a service's name.
      logs = "\n" + config.environment.etc."alloy/config.alloy".text or "";
      sources = config.services.grafana.provision.datasources.settings;
      units = lib.attrNames config.systemd.services;
      files = lib.attrNames config.environment.etc;
      certificates = lib.attrNames config.security.acme.certs;
      decrypted = lib.attrNames config.age.secrets;
      inherit (config.networking.firewall) allowedTCPPorts allowedUDPPorts;
    };
  # Units and files that are named after the service: `NAME`, `NAME.service`, a job's
  # `restic-backups-NAME`, a folder `backups/NAME`.
  traces =
    service: text:
    lib.filter (trace: lib.hasInfix trace text) [
      ''"${service}"''
      ''"${service}.''
      ''-${service}"''
      ''/${service}"''
    ];
  # The service's own units count too.
  tracesOf =
    name: config:
    traces name (surroundings config)
    ++ lib.filter (unit: config.systemd.services ? ${lib.removeSuffix ".service" unit}) (
      together.config.homelab.services.${name}.units
    );
in
{
  "a service that is switched off changes nothing but its domain" = {
    expr = derivedOf off;
    expected = derivedOf withDomain;
  };
  "the programs behind it are told nothing of it either" = {
    expr = surroundings (off // { systemd.services = removeAttrs off.systemd.services [ demo ]; });
    expected = surroundings withDomain;
  };
}
// lib.mapAttrs' (
  name: _:
  lib.nameValuePair "without ${name} nothing names it" {
    expr = tracesOf name (without name);
    expected = [ ];
  }
) shipped.modules
// {
  "a trace would be found" = {
    expr = tracesOf "grafana" together.config;
    expected = [
      ''"grafana"''
      ''"grafana.''
      ''-grafana"''
      ''/grafana"''
      "grafana.service"
    ];
  };
}
