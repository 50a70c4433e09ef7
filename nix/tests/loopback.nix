# Who can reach a shipped service: the contract says loopback, and the module passes that on to the
# program.
{ inputs, lib, smallest, ... }@arguments:
let
  shipped = import ./shipped arguments;
  # All shipped services, and those that open a port to others.
  machine = smallest ([ shipped.ground ] ++ map shipped.exampleOf shipped.names);
  services = lib.getAttrs shipped.names machine.config.homelab.services;
  isLoopback = bind: lib.hasPrefix "127." bind || bind == "::1";

  beyond =
    service:
    lib.optional (service.port != null && !service.openFirewall && !isLoopback service.bind) service.bind
    ++ map (port: port.bind) (
      lib.filter (port: !port.openFirewall && !isLoopback port.bind) (lib.attrValues service.extraPorts)
    );

  # An address and ports that no module can know.
  bind = "127.77.0.1";
  portOf = index: 64100 + index;
  extraOf = service: lib.filterAttrs (_: extra: extra.port != service.port) service.extraPorts;
  moved =
    name:
    let
      service = services.${name};
    in
    machine.extendModules {
      modules = [
        {
          homelab.services.${name} = {
            extraPorts = lib.listToAttrs (
              lib.imap1 (index: extra: lib.nameValuePair extra { port = portOf index; }) (lib.attrNames (extraOf service))
            );
          }
          // lib.optionalAttrs (service.port != null) {
            inherit bind;
            port = portOf 0;
          };
        }
      ];
    };
  # Values that the module does not pass on.
  untold =
    name:
    let
      service = services.${name};
      words = shipped.toldBy name (moved name);
      wanted =
        lib.optionals (service.port != null) [
          bind
          (toString (portOf 0))
        ]
        ++ lib.imap1 (index: _: toString (portOf index)) (lib.attrNames (extraOf service));
    in
    lib.filter (word: !lib.any (lib.hasInfix word) words) wanted;

  frame1 = inputs.self.nixosConfigurations.frame1.config.services;
in
{
  "every shipped service listens on loopback, but for ports that it opens to others" = {
    expr = lib.filterAttrs (_: found: found != [ ]) (lib.mapAttrs (_: beyond) services);
    expected = { };
  };
  "services and ports are found" = {
    expr = {
      loopback = lib.length (lib.filter (service: service.port != null && isLoopback service.bind) (lib.attrValues services)) > 6;
      others = lib.attrNames (
        lib.filterAttrs (
          _: service: service.openFirewall || lib.any (port: port.openFirewall) (lib.attrValues service.extraPorts)
        ) services
      );
    };
    expected = {
      loopback = true;
      others = [
        "caddy"
        "ssh"
        "tailscale"
      ];
    };
  };
  # Ports that the contract does not know: rings and clusters of one.
  "what would listen besides is told loopback, or not to" = {
    expr = {
      ring = frame1.loki.configuration.common.instance_addr;
      cluster = frame1.prometheus.alertmanager.extraFlags;
    };
    expected = {
      ring = "127.0.0.1";
      cluster = [ "--cluster.listen-address=" ];
    };
  };
}
// lib.mapAttrs' (
  name: _:
  lib.nameValuePair "what homelab.services.${name} says of address and ports, its program is told" {
    expr = untold name;
    expected = [ ];
  }
) services
