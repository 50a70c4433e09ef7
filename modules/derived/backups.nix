# What to back up. The names depend only on the declared services; only values are read from the
# units. Otherwise the evaluation would recurse without end.
{ lib, config, ... }:
let
  isYes = value: value == true || lib.elem (toString value) [ "1" "yes" "true" "on" ];

  # The state directories of a unit as they are on the disk. /var/lib/NAME of a DynamicUser is a
  # link, and a backup of a link saves no file. Proof: nix/tests/state-directory.nix.
  stateOf =
    unit:
    let
      settings = (config.systemd.services.${lib.removeSuffix ".service" unit} or { }).serviceConfig or { };
      root = if isYes (settings.DynamicUser or false) then "/var/lib/private" else "/var/lib";
      words = lib.concatMap (lib.splitString " ") (lib.toList (settings.StateDirectory or [ ]));
      name = word: lib.head (lib.splitString ":" word);
    in
    map (word: "${root}/${name word}") (lib.filter (word: word != "") words);

  backupOf =
    service:
    {
      inherit (service) units;
      inherit (service.backup)
        exclude
        prepare
        cleanup
        stopUnits
        sqlite
        sentinel
        ;
      paths =
        if service.backup.paths == "auto" then
          lib.unique (lib.concatMap stateOf service.units)
        else
          service.backup.paths;
    };
in
{
  homelab.derived.backups = lib.mapAttrs (_: backupOf) (
    lib.filterAttrs (_: service: service.backup != null) config.homelab.enabledServices
  );
}
