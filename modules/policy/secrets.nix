# Secrets: never in the store, and owned by an existing user.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;
  inherit (config.homelab) derived;
  inStore = path: lib.hasPrefix builtins.storeDir (toString path);

  stored = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      lib.mapAttrsToList (entry: _: "homelab.services.${name}.metrics.${entry}.bearerTokenFile") (
        lib.filterAttrs (
          _: metrics: metrics.bearerTokenFile != null && inStore metrics.bearerTokenFile
        ) service.metrics
      )
    ) services
  )
  ++ lib.mapAttrsToList (name: _: "homelab.secrets.files.${name}.path") (
    lib.filterAttrs (_: secret: inStore secret.path) config.homelab.secrets.files
  );

  # A token is a file on the machine that scrapes. Another machine's token does not exist here, and
  # the scraper would not start without it.
  tokenless = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      map (metrics: {
        inherit name;
        file = metrics.bearerTokenFile;
      }) (
        lib.filter (
          metrics:
          metrics.bearerTokenFile != null
          && !lib.any (secret: secret.path == metrics.bearerTokenFile) (lib.attrValues config.homelab.secrets.files)
        ) (lib.attrValues service.metrics)
      )
    ) config.homelab.elsewhere
  );

  declared = set: word: lib.any (entry: entry.name == word) (lib.attrValues set) || builtins.match "[0-9]+" word != null;
  ownerless = lib.filterAttrs (_: secret: !declared config.users.users secret.owner) derived.secrets;
  groupless = lib.filterAttrs (_: secret: !declared config.users.groups secret.group) derived.secrets;
  optionOf = name: field: "homelab.services.${lib.head derived.secrets.${name}.services}.secrets.${name}.${field}";
in
{
  assertions =
    map (option: {
      assertion = false;
      message = "a secret in the store is readable by everybody on the machine: set ${option} to a path at run time";
    }) stored
    ++ map (entry: {
      assertion = false;
      message = "the metrics of ${entry.name} are asked for with the token in ${entry.file}, a file of its own machine: declare the secret in a service of this machine too, or leave out its bearerTokenFile";
    }) tokenless
    ++ lib.mapAttrsToList (name: secret: {
      assertion = false;
      message = "the secret ${name} belongs to ${secret.owner}, who is no user of this machine: change ${optionOf name "owner"}, or declare users.users.${secret.owner}";
    }) ownerless
    ++ lib.mapAttrsToList (name: secret: {
      assertion = false;
      message = "the secret ${name} belongs to the group ${secret.group}, which this machine does not have: change ${optionOf name "group"}, or declare users.groups.${secret.group}";
    }) groupless;
}
