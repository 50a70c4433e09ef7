# Two services on one port or host name. These upstream defaults clash: 3000, 3001, 8080, 5055,
# 9000, 9093.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;

  # A service on another host takes no port of this one.
  isHere = bind: lib.hasPrefix "127." bind || lib.elem bind [ "0.0.0.0" "::" "::1" ];

  # An address that means "all addresses" clashes with every other; two specific ones clash only if
  # they are equal.
  clash = a: b: a == b || lib.any (any: a == any || b == any) [ "0.0.0.0" "::" ];

  listening = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      lib.optional (service.port != null) {
        inherit (service) port bind;
        protocol = "tcp";
        service = name;
        option = "homelab.services.${name}.port";
      }
      ++ lib.mapAttrsToList (extra: entry: {
        inherit (entry) port bind protocol;
        service = name;
        option = "homelab.services.${name}.extraPorts.${extra}.port";
      }) service.extraPorts
    ) services
  );
  here = lib.filter (entry: isHere entry.bind) listening;

  pairs =
    list:
    lib.concatLists (
      lib.imap0 (index: a: map (b: { inherit a b; }) (lib.drop (index + 1) list)) list
    );

  samePort = lib.concatMap (
    entries: lib.filter ({ a, b }: clash a.bind b.bind) (pairs entries)
  ) (lib.attrValues (lib.groupBy (entry: "${entry.protocol} ${toString entry.port}") here));

  sameHost = lib.filterAttrs (_: sites: lib.length sites > 1) (
    lib.groupBy (site: site.host) config.homelab.derived.sites
  );
in
{
  assertions =
    map (
      { a, b }:
      {
        assertion = false;
        message = "${a.service} and ${b.service} both listen on ${a.protocol} port ${toString a.port}: change ${a.option} or ${b.option}";
      }
    ) samePort
    ++ lib.mapAttrsToList (host: sites: {
      assertion = false;
      message = "${host} is a site of ${
        lib.concatMapStringsSep " and of " (site: site.service) sites
      }: change ${
        lib.concatMapStringsSep " or " (option: option) (
          lib.unique (map (site: "homelab.services.${site.service}.sites") sites)
        )
      }";
    }) sameHost;
}
