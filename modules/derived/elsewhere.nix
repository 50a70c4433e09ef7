# Services of other machines, as far as they concern this one: their sites and tiles on the gateway,
# their metrics on the monitor. Their units, backups and secrets are left out. Only what a machine
# declares itself is read; otherwise two machines would read each other without end.
{ lib, config, ... }:
let
  inherit (config.homelab) fleet;
  isGateway = fleet.gateway == fleet.name;
  isMonitor = fleet.monitor == fleet.name;
  isLoopback = bind: lib.hasPrefix "127." bind || bind == "::1";

  of =
    machine: other:
    let
      reached = bind: if lib.elem bind [ "0.0.0.0" "::" ] then other.homelab.fleet.address else bind;
      siteOf =
        site:
        site
        // {
          routes = lib.mapAttrs (
            _: route: route // { service = lib.mapNullable (service: "${machine}-${service}") route.service; }
          ) site.routes;
        };
      entryOf =
        name: service:
        service
        // {
          bind = reached service.bind;
          sites = lib.optionalAttrs isGateway (lib.mapAttrs (_: siteOf) service.sites);
          siteList = lib.optionals isGateway (map siteOf service.siteList);
          # Another machine's service must not decide over a deploy of this one.
          siteCheck = service.siteCheck // {
            level = "advisory";
          };
          metrics = lib.optionalAttrs isMonitor (
            lib.mapAttrs (
              _: metrics:
              metrics
              // {
                address = reached metrics.address;
                labels = metrics.labels // {
                  inherit machine;
                };
              }
            ) (lib.filterAttrs (_: metrics: metrics.enable && !isLoopback metrics.address) service.metrics)
          );
          # A rule of a service that runs here too already covers the series of both.
          alerts = lib.optionalAttrs (isMonitor && !(config.homelab.services.${name} or { enable = false; }).enable) service.alerts;
          logs = service.logs // {
            enable = false;
          };
          unit = null;
          units = [ ];
          extraUnits = [ ];
          backgroundUnits = [ ];
          extraPorts = { };
          openFirewall = false;
          health = { };
          noHealthCheckReason = "runs on ${machine}";
          backup = null;
          noBackupReason = "runs on ${machine}";
          datasources = lib.optionalAttrs isMonitor (
            lib.filterAttrs (
              uid: _: !lib.any (own: own.enable && own.datasources ? ${uid}) (lib.attrValues config.homelab.services)
            ) service.datasources
          );
          dashboards = { };
          secrets = { };
          startAfter = [ ];
          limits = lib.mapAttrs (_: _: null) service.limits;
          beforeActivate = null;
        };
      wanted = lib.filterAttrs (_: service: service.enable && !isLoopback service.bind && service.port != null);
    in
    lib.mapAttrs' (name: service: lib.nameValuePair "${machine}-${name}" (entryOf name service)) (
      wanted other.homelab.services
    );
in
{
  options.homelab.elsewhere = lib.mkOption {
    type = lib.types.raw;
    readOnly = true;
    internal = true;
    description = "Services of other machines that this one has to do with.";
  };

  config.homelab.elsewhere = lib.optionalAttrs (isGateway || isMonitor) (
    lib.filterAttrs (_: service: service.siteList != [ ] || service.metrics != { } || isGateway) (
      lib.concatMapAttrs of (removeAttrs fleet.machines [ fleet.name ])
    )
  );
}
