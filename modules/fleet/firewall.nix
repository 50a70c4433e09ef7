# Services on the machine's fleet address are accepted only by its interface and from the addresses
# of the other machines, because logs and metrics need no login.
{ lib, config, ... }:
let
  cfg = config.homelab.fleet;
  inherit (config.networking) nftables;
  addresses = lib.filter (address: address != null) (
    lib.mapAttrsToList (_: other: other.homelab.fleet.address) (removeAttrs cfg.machines [ cfg.name ])
  );
  own = lib.attrValues (lib.filterAttrs (_: service: service.enable) config.homelab.services);
  ports = lib.sort lib.lessThan (
    lib.unique (
      lib.concatMap (
        service:
        lib.optional (service.port != null && service.bind == cfg.address) service.port
        ++ map (metrics: metrics.port) (
          lib.filter (metrics: metrics.address == cfg.address) (lib.attrValues service.metrics)
        )
      ) own
    )
  );
  commaed = lib.concatMapStringsSep "," toString ports;
  isV6 = lib.hasInfix ":";
in
{
  config = lib.mkIf (cfg.address != null && cfg.interface != null && addresses != [ ] && ports != [ ]) {
    # The tailnet's address may appear only after the services that bind to it.
    boot.kernel.sysctl = {
      "net.ipv4.ip_nonlocal_bind" = lib.mkDefault 1;
      "net.ipv6.ip_nonlocal_bind" = lib.mkDefault 1;
    };

    networking.firewall.extraCommands = lib.mkIf (!nftables.enable) (
      lib.concatMapStrings (address: ''
        ${if isV6 address then "ip6tables" else "iptables"} -A nixos-fw -i ${cfg.interface} -s ${address} -p tcp -m multiport --dports ${commaed} -j nixos-fw-accept
      '') addresses
    );
    networking.firewall.extraInputRules = lib.mkIf nftables.enable (
      lib.concatMapStrings (address: ''
        iifname "${cfg.interface}" ${if isV6 address then "ip6" else "ip"} saddr ${address} tcp dport { ${commaed} } accept
      '') addresses
    );
  };
}
