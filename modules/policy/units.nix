# Start order and limits: the units must exist, and the order must have no circle.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;

  ordered = lib.filterAttrs (_: service: service.startAfter != [ ]) services;
  limited = lib.filterAttrs (
    _: service: lib.any (limit: limit != null) (lib.attrValues service.limits)
  ) services;

  # Each wrong name in `startAfter`, with its service.
  wrong =
    isWrong:
    lib.concatLists (
      lib.mapAttrsToList (
        name: service: map (other: { inherit name other; }) (lib.filter isWrong service.startAfter)
      ) ordered
    );

  unitless = lib.concatLists (
    lib.mapAttrsToList (
      option: declaring:
      map (name: { inherit option name; }) (
        lib.attrNames (lib.filterAttrs (_: service: service.units == [ ]) declaring)
      )
    ) {
      startAfter = ordered;
      limits = limited;
    }
  );
  otherUnits = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      map (unit: { inherit name unit; }) (
        lib.filter (unit: !lib.hasSuffix ".service" unit) service.units
      )
    ) (ordered // limited)
  );

  # Follows `startAfter` from a service until a name repeats. Only the first name of a circle by the
  # alphabet reports it, so that each circle is reported once.
  circlesOf =
    start:
    let
      follow =
        way: name:
        if name == start && way != [ ] then
          [ (way ++ [ name ]) ]
        else if lib.elem name way || name < start then
          [ ]
        else
          lib.concatMap (follow (way ++ [ name ])) (services.${name} or { startAfter = [ ]; }).startAfter;
    in
    follow [ ] start;
  circles = lib.unique (lib.concatMap circlesOf (lib.attrNames ordered));
in
{
  assertions =
    map ({ name, other }: {
      assertion = false;
      message = "${name} starts after ${other}, which is no enabled service: change homelab.services.${name}.startAfter, or declare homelab.services.${other}";
    }) (wrong (other: !(services ? ${other})))
    ++ map ({ name, other }: {
      assertion = false;
      message = "${name} starts after ${other}, which has no unit on this machine: change homelab.services.${name}.startAfter, or set homelab.services.${other}.unit";
    }) (wrong (other: services ? ${other} && services.${other}.units == [ ]))
    ++ map (entry: {
      assertion = false;
      message = "homelab.services.${entry.name}.${entry.option} is for units, and ${entry.name} has none: set homelab.services.${entry.name}.unit, or leave it out";
    }) unitless
    ++ map ({ name, unit }: {
      assertion = false;
      message = "${unit} of ${name} is no service of systemd, and start order and limits are for these: change homelab.services.${name}.unit, or leave out homelab.services.${name}.startAfter and limits";
    }) otherUnits
    ++ map (way: {
      assertion = false;
      message = "${lib.concatStringsSep " starts after " way}: change homelab.services.${lib.head way}.startAfter, or that of another one of them";
    }) circles;
}
