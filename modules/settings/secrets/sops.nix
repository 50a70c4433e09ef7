# Secrets by sops-nix: one file for each, in sops's binary format. The module works without sops-nix
# too: then the option `sops` does not exist.
{
  lib,
  config,
  options,
  ...
}:
let
  inherit (config.homelab) derived;
  enabled = config.homelab.secrets.provider == "sops";
  present = lib.filterAttrs (_: secret: secret.exists) derived.secrets;
in
{
  config = lib.mkMerge [
    {
      homelab.secrets.providers.sops = {
        folder = "/run/secrets";
        extension = ".sops";
        make = "sops --input-type binary --output-type binary";
      };
    }
    (lib.mkIf enabled (
      {
        assertions = lib.optional (derived.secrets != { } && !(options ? sops)) {
          assertion = false;
          message = "nobody decrypts ${lib.concatStringsSep ", " (lib.attrNames derived.secrets)}: import sops-nix.nixosModules.sops, or set homelab.secrets.provider to another one";
        };
      }
      // lib.optionalAttrs (options ? sops) {
        sops.secrets = lib.mapAttrs (_: secret: {
          sopsFile = secret.file;
          format = "binary";
          inherit (secret) owner group mode;
        }) present;
      }
    ))
  ];
}
