# Secrets by agenix. The module works without agenix too: then the option `age` does not exist, and
# only `provider = "plain"` or a machine without secrets evaluates.
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
  age = config.age or { };
  text = value: builtins.unsafeDiscardStringContext (toString value);

  # The store path of the file, which changes only with its content.
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
in
{
  config = lib.mkMerge [
    {
      homelab.secrets.providers.agenix = {
        folder = toString (age.secretsDir or "/run/agenix");
        extension = ".age";
        make = "deploy secrets new";
      };
    }
    (lib.mkIf enabled (
    {
      homelab.secrets.manifest = lib.mapAttrsToList decrypted (age.secrets or { });

      assertions = lib.optional (derived.secrets != { } && !(options ? age)) {
        assertion = false;
        message = "nobody decrypts ${lib.concatStringsSep ", " (lib.attrNames derived.secrets)}: import agenix.nixosModules.default, or set homelab.secrets.provider";
      };
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
  ))
  ];
}
