# Which unit's journal belongs to which service.
{ lib, config, ... }:
{
  homelab.derived.logLabels = lib.concatLists (
    lib.mapAttrsToList (
      service: declared:
      lib.optionals declared.logs.enable (
        map (unit: {
          inherit service unit;
          inherit (declared.logs) dropRegex;
        }) declared.units
      )
    ) config.homelab.enabledServices
  );
}
