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
in
{
  config = lib.mkMerge [
    {
      homelab.secrets.providers.agenix = {
        folder = toString (age.secretsDir or "/run/agenix");
        extension = ".age";
        make = "agenix -e";
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
