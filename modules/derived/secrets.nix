# Secrets of all services by name, with the file of each and whether that file exists. A missing
# file must not break the evaluation, so that whoever sets up a machine sees the whole list at once.
{ lib, config, ... }:
let
  inherit (config.homelab.secrets) directory provider providers;
  # Null if the provider needs no files.
  extension = (providers.${provider} or { extension = null; }).extension;

  declared = lib.concatLists (
    lib.mapAttrsToList (
      service: entry:
      lib.mapAttrsToList (name: secret: {
        inherit service name secret;
      }) entry.secrets
    ) config.homelab.enabledServices
  );

  merge =
    name: entries:
    let
      first = (lib.head entries).secret;
      file = if extension == null then null else directory + "/${name}${extension}";
    in
    {
      inherit name file;
      inherit (first)
        owner
        group
        mode
        hint
        ;
      generator =
        if first.generator == null then null else lib.filterAttrs (_: value: value != null) first.generator;
      services = map (entry: entry.service) entries;
      restartUnits = lib.unique (lib.concatMap (entry: entry.secret.restartUnits) entries);
      exists = file == null || builtins.pathExists file;
    };
in
{
  homelab.derived.secrets = lib.mapAttrs merge (lib.groupBy (entry: entry.name) declared);
}
