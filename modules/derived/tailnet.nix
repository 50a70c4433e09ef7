# Refuses addresses of the tailnet that arrive by another interface: anybody on the LAN, or behind
# the same provider's NAT, can have such an address. The proxy sees only addresses, so the firewall
# checks the interface. Proof: nix/tests/real/firewall.sh.
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

  # Each rule goes to the top of NixOS's chain, so the last one here is the first to match: the
  # machine itself may use its own address.
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

  # The rules come before NixOS's own chain, which accepts established connections.
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
