# Secrets that the service reads at run time.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.secrets = mkOption {
    type = types.attrsOf (
      types.submodule {
        options = {
          owner = mkOption {
            type = types.str;
            default = "root";
            description = "Who owns the decrypted file. A DynamicUser cannot: let systemd read it, by LoadCredential or EnvironmentFile.";
          };
          group = mkOption {
            type = types.str;
            default = "root";
            description = "Its group.";
          };
          mode = mkOption {
            type = types.strMatching "0[0-7]{3}";
            default = "0400";
            description = "Its permissions.";
          };
          restartUnits = mkOption {
            type = types.listOf types.str;
            default = [ ];
            description = "Units that restart when the secret changes.";
          };
          hint = mkOption {
            type = types.str;
            default = "";
            description = "What to put into it, for the message that says it is missing.";
          };
        };
      }
    );
    default = { };
    description = ''
      Secrets by name: each is the file `NAME.age` in `homelab.secrets.directory`,
      decrypted to `homelab.secrets.files.NAME.path`.
    '';
  };
}
