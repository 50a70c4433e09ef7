# Placeholders for secrets, for virtual machines: each file has the word `nixos`.
{ lib, config, ... }:
let
  enabled = config.homelab.secrets.provider == "plain";
in
{
  config = {
    homelab.secrets.providers.plain.folder = "/etc/plain-secrets";
    environment.etc = lib.mkIf enabled (
      lib.mapAttrs' (
        name: secret:
        lib.nameValuePair "plain-secrets/${name}" {
          text = "nixos";
          user = secret.owner;
          inherit (secret) group mode;
        }
      ) config.homelab.derived.secrets
    );
  };
}
