# A dashboard refers to a data source by its uid, and only one source may be the default. With a
# second of either, nothing is provisioned.
{ lib, config, ... }:
let
  inherit (config.homelab.derived) datasources;
  option = source: "homelab.services.${source.service}.datasources.${source.uid}";
  twice = lib.filterAttrs (_: sources: lib.length sources > 1) (
    lib.groupBy (source: source.uid) datasources
  );
  defaults = lib.filter (source: source.isDefault) datasources;
in
{
  assertions =
    lib.mapAttrsToList (uid: sources: {
      assertion = false;
      message = "the data source ${uid} is declared twice: rename ${lib.concatMapStringsSep " or " option sources}";
    }) twice
    ++ lib.optional (lib.length defaults > 1) {
      assertion = false;
      message = "one data source can be the default: leave out ${
        lib.concatMapStringsSep " or " (source: "${option source}.default") defaults
      }";
    };
}
