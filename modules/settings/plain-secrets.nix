# Secrets that are none, for virtual machines: the word `nixos` in each file.
{ lib, config, ... }:
let
  enabled = config.homelab.secrets.provider == "plain";
in
{
  config = lib.mkIf enabled {
    environment.etc = lib.mapAttrs' (
      name: secret:
      lib.nameValuePair "plain-secrets/${name}" {
        text = "nixos";
        user = secret.owner;
        inherit (secret) group mode;
      }
    ) config.homelab.derived.secrets;
  };
}
