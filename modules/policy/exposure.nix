# Who can reach a service, and whether that is intended.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;
  isLoopback = bind: lib.hasPrefix "127." bind || bind == "::1";
  # A service without a unit here listens elsewhere, unless its address means "all addresses".
  isBeyond =
    service: bind:
    # Only the other machines reach it: modules/fleet/firewall.nix.
    !(config.homelab.fleet.interface != null && bind == config.homelab.fleet.address)
    && (lib.elem bind [ "0.0.0.0" "::" ] || (service.units != [ ] && !isLoopback bind));

  public = lib.filterAttrs (
    _: service: lib.any (site: site.audience == "public") service.siteList && service.auth.kind == "none"
  ) services;

  unguarded = lib.filterAttrs (
    _: service: service.auth.kind == "forward" && config.homelab.proxy.forwardAuth.url == null
  ) services;

  closed = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      lib.optionals (service.noFirewallReason == null) (
        lib.optional (service.port != null && isBeyond service service.bind && !service.openFirewall) {
          inherit (service) bind port;
          inherit name;
          field = "openFirewall";
          address = "bind";
        }
        ++ lib.mapAttrsToList (extra: entry: {
          inherit (entry) bind port;
          inherit name;
          field = "extraPorts.${extra}.openFirewall";
          address = "extraPorts.${extra}.bind";
        }) (lib.filterAttrs (_: entry: isBeyond service entry.bind && !entry.openFirewall) service.extraPorts)
      )
    ) services
  );

  openLoopback = lib.filterAttrs (
    _: service: service.port != null && service.openFirewall && isLoopback service.bind
  ) services;
in
{
  assertions =
    lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "${name} has a public site and no login: set homelab.services.${name}.auth.kind to native or forward, or another audience in homelab.services.${name}.sites";
    }) public
    ++ lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "${name} wants the proxy to ask for a login, but nobody is asked: set homelab.proxy.forwardAuth.url, or another homelab.services.${name}.auth.kind";
    }) unguarded
    ++ map (entry: {
      assertion = false;
      message = "${entry.name} listens on ${entry.bind}, port ${toString entry.port}, which the firewall does not let in: set homelab.services.${entry.name}.${entry.field}, homelab.services.${entry.name}.${entry.address} = \"127.0.0.1\", or homelab.services.${entry.name}.noFirewallReason";
    }) closed
    ++ lib.mapAttrsToList (name: service: {
      assertion = false;
      message = "${name} has port ${toString service.port} open in the firewall but listens on ${service.bind}: change homelab.services.${name}.bind, or leave out homelab.services.${name}.openFirewall";
    }) openLoopback;
}
