# Secrets by agenix. The module works without agenix too: then `age` is no option,
# and only `provider = "plain"` or no secret at all evaluates.
{
  lib,
  config,
  options,
  ...
}:
let
  inherit (config.homelab) derived;
  enabled = config.homelab.secrets.provider == "agenix";
  present = lib.filterAttrs (_: secret: secret.exists) derived.secrets;
  absent = lib.filterAttrs (_: secret: !secret.exists) derived.secrets;
  age = config.age or { };
  text = value: builtins.unsafeDiscardStringContext (toString value);

  # A file's own store path: it changes with its content and with nothing else.
  stored = path: "${path}";

  common = {
    identityPaths = map text (age.identityPaths or [ ]);
    ageBin = text (age.ageBin or "");
  };
  decrypted =
    name: secret:
    common
    // {
      name = secret.name;
      file = text (stored secret.file);
      path = text secret.path;
      inherit (secret) mode;
      owner = toString secret.owner;
      group = toString secret.group;
      restartUnits = (derived.secrets.${name} or { restartUnits = [ ]; }).restartUnits;
    };
  neverMade =
    name: secret:
    common
    // {
      inherit name;
      # Not a store path: what a person has to make.
      file = "${baseNameOf (dirOf secret.file)}/${name}.age";
      inherit (config.homelab.secrets.files.${name}) path;
      inherit (secret)
        mode
        owner
        group
        restartUnits
        hint
        ;
    };
in
{
  config = lib.mkIf enabled (
    {
      homelab.secrets.manifest =
        lib.mapAttrsToList decrypted (age.secrets or { }) ++ lib.mapAttrsToList neverMade absent;

      # agenix does not restart what reads a secret.
      systemd.services = lib.mkMerge (
        lib.concatLists (
          lib.mapAttrsToList (
            _: secret:
            map (unit: {
              ${lib.removeSuffix ".service" unit}.restartTriggers = [ (stored secret.file) ];
            }) secret.restartUnits
          ) present
        )
      );
    }
    // lib.optionalAttrs (options ? age) {
      age.secrets = lib.mapAttrs (_: secret: {
        inherit (secret)
          file
          owner
          group
          mode
          ;
      }) present;
    }
  );
}
