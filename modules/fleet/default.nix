# Several machines: which one is the proxy in front of all sites, which one has the metrics and
# which one the logs. `lib.fleet` sets the others.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.fleet;
  machine =
    description:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      inherit description;
    };
  others = removeAttrs cfg.machines [ cfg.name ];
  hasRoles = cfg.gateway != null || cfg.monitor != null || cfg.logs != null;
  isLoopback = bind: lib.hasPrefix "127." bind || bind == "::1";

  # Sites that the gateway cannot reach.
  unreached = lib.filterAttrs (
    _: service:
    cfg.gateway != null
    && cfg.gateway != cfg.name
    && service.siteList != [ ]
    && service.port != null
    && isLoopback service.bind
  ) (lib.filterAttrs (_: service: service.enable) config.homelab.services);
in
{
  _class = "nixos";

  imports = [ ./firewall.nix ];

  options.homelab.fleet = {
    gateway = machine "The machine whose proxy is in front of the sites and tiles of all. Null means that each has its own.";
    monitor = machine "The machine that scrapes the metrics of all, and alerts.";
    logs = machine "The machine that the journals of all are sent to.";
    address = machine "The numeric address by which the other machines reach this one, in the tailnet or on the LAN. A service binds to it to be reached by them.";
    interface = machine "The interface that has `address`. By it, and from the addresses of the other machines, the firewall lets in what binds to `address`.";

    name = mkOption {
      type = types.str;
      default = config.networking.hostName;
      internal = true;
      description = "This machine.";
    };
    machines = mkOption {
      type = types.raw;
      default = { };
      internal = true;
      description = "The configurations of all machines, by name.";
    };
    # The address for shipped services that other machines have to reach.
    listen = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      default = needed: if needed && others != { } && cfg.address != null then cfg.address else "127.0.0.1";
      description = "The address for a service that other machines need, or not.";
    };
  };

  config = {
    homelab.services = lib.mkMerge [
      (lib.mkIf (cfg.monitor != null) { node-exporter.enable = lib.mkDefault true; })
      (lib.mkIf (cfg.logs != null) { alloy.enable = lib.mkDefault true; })
    ];

    assertions =
      lib.optional (hasRoles && others != { } && (cfg.address == null || cfg.interface == null)) {
        assertion = false;
        message = "the other machines do not reach ${cfg.name}: set homelab.fleet.address and homelab.fleet.interface in its module";
      }
      ++ lib.mapAttrsToList (name: service: {
        assertion = false;
        message = "${cfg.gateway} is in front of the sites of ${name}, which listens on ${service.bind} of ${cfg.name}: bind it to config.homelab.fleet.address, and say so in homelab.services.${name}.bind";
      }) unreached;
  };
}
