# Start order and limits of the units of services that declare any, and the units that do not decide
# over a deploy.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;
  limitsOf =
    limits:
    lib.filterAttrs (_: value: value != null) {
      MemoryMax = limits.memory;
      CPUQuota = if limits.cpu == null then null else "${toString limits.cpu}%";
      TasksMax = limits.tasks;
    };

  entriesOf =
    name: service:
    let
      after = lib.concatMap (
        other: services.${other}.units or [ ]
      ) service.startAfter;
      limits = limitsOf service.limits;
    in
    map (unit: {
      service = name;
      inherit unit after limits;
    }) (lib.optionals (after != [ ] || limits != { }) service.units);
in
{
  deploy.units.advisory = lib.concatLists (
    lib.mapAttrsToList (
      _: service:
      service.backgroundUnits ++ lib.optionals (service.unitCheck.level != "required") service.units
    ) services
  );

  homelab.derived.units = lib.concatLists (lib.mapAttrsToList entriesOf services);

  # modules/policy/units.nix refuses other kinds of units.
  systemd.services = lib.mkMerge (
    map (entry: {
      ${lib.removeSuffix ".service" entry.unit} = {
        inherit (entry) after;
        # The user set these limits, so they override NixOS's own.
        serviceConfig = lib.mapAttrs (_: lib.mkForce) entry.limits;
      };
    }) (lib.filter (entry: lib.hasSuffix ".service" entry.unit) config.homelab.derived.units)
  );
}
