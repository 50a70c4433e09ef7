# Ports that other hosts may reach. A port that is opened by hand is not seen here.
{ lib, config, ... }:
let
  portsOf =
    _: service:
    lib.optional (service.openFirewall && service.port != null) {
      inherit (service) port;
      protocol = "tcp";
    }
    ++ lib.filter (entry: entry.openFirewall) (lib.attrValues service.extraPorts);

  open = lib.concatLists (lib.mapAttrsToList portsOf config.homelab.enabledServices);
  ofProtocol =
    protocol:
    lib.sort lib.lessThan (
      lib.unique (map (entry: entry.port) (lib.filter (entry: entry.protocol == protocol) open))
    );
in
{
  homelab.derived.firewall = {
    tcp = ofProtocol "tcp";
    udp = ofProtocol "udp";
  };

  networking.firewall = {
    allowedTCPPorts = config.homelab.derived.firewall.tcp;
    allowedUDPPorts = config.homelab.derived.firewall.udp;
  };
}
