# Whoever comes from an address of the tailnet by another interface is none of the tailnet:
# anybody on the LAN, or behind the same provider's NAT, can have such an address. The proxy
# sees addresses alone, so the firewall looks at the interface.
# Proof: nix/tests/real/firewall.sh.
{ lib, config, ... }:
let
  inherit (config.homelab) derived proxy;
  inherit (config.networking) nftables;

  isV6 = lib.hasInfix ":";
  v4 = lib.filter (range: !isV6 range) proxy.tailnetRanges;
  v6 = lib.filter isV6 proxy.tailnetRanges;
  tcp = lib.unique [
    proxy.httpPort
    proxy.httpsPort
  ];
  commaed = lib.concatMapStringsSep "," toString;

  # Each goes to the top of NixOS's chain, so what is last here is asked first: the machine
  # itself may use its own address.
  iptables =
    lib.concatMapStrings (
      range:
      let
        refuse = rest: "${
          if isV6 range then "ip6tables" else "iptables"
        } -I nixos-fw ! -i ${proxy.tailnetInterface} -s ${range} ${rest} -j nixos-fw-refuse\n";
      in
      refuse "-p tcp -m multiport --dports ${commaed tcp}" + refuse "-p udp --dport ${toString proxy.httpsPort}"
    ) proxy.tailnetRanges
    + "ip46tables -I nixos-fw -i lo -j nixos-fw-accept\n";

  # Before NixOS's own chain, whose connections that are there already are let through.
  rules =
    family: ranges:
    lib.optionalString (ranges != [ ]) ''
      iifname != { "lo", "${proxy.tailnetInterface}" } ${family} saddr { ${lib.concatStringsSep ", " ranges} } tcp dport { ${commaed tcp} } drop
      iifname != { "lo", "${proxy.tailnetInterface}" } ${family} saddr { ${lib.concatStringsSep ", " ranges} } udp dport ${toString proxy.httpsPort} drop
    '';
in
{
  config = lib.mkIf (proxy.tailnetInterface != null && derived.sites != [ ]) {
    networking.firewall.extraCommands = lib.mkIf (!nftables.enable) iptables;
    networking.nftables.tables.homelab-tailnet = lib.mkIf nftables.enable {
      family = "inet";
      content = ''
        chain tailnet {
          type filter hook input priority filter - 1; policy accept;
          ${lib.concatStringsSep "\n  " (lib.splitString "\n" (rules "ip" v4 + rules "ip6" v6))}
        }
      '';
    };
  };
}
