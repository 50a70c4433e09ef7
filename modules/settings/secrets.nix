# Where secrets are kept and where services find them.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.secrets;
  folder = {
    agenix = toString (config.age or { secretsDir = "/run/agenix"; }).secretsDir;
    plain = "/etc/plain-secrets";
  };
in
{
  options.homelab.secrets = {
    directory = mkOption {
      type = types.path;
      example = lib.literalExpression "./secrets";
      description = "The folder of the flake with the encrypted files, `NAME.age` each.";
    };

    provider = mkOption {
      type = types.enum [
        "agenix"
        "plain"
      ];
      default = "agenix";
      description = ''
        `agenix` decrypts files with the machine's host key. `plain` writes the
        word `nixos` into each, readable by everybody: for virtual machines that
        hold nothing, and nothing else.
      '';
    };

    files = mkOption {
      type = types.attrsOf (
        types.submodule {
          options.path = mkOption {
            type = types.str;
            description = "Where the secret is at run time.";
          };
        }
      );
      readOnly = true;
      description = "The declared secrets: where each is at run time.";
    };

    missing = mkOption {
      type = types.listOf types.str;
      readOnly = true;
      description = "Declared secrets whose file does not exist yet. A deploy refuses and names them.";
    };

    manifest = mkOption {
      type = types.listOf (types.attrsOf types.anything);
      default = [ ];
      internal = true;
      description = "The secrets as machine.json lists them.";
    };
  };

  config.homelab.secrets.files = lib.mapAttrs (name: _: {
    path = "${folder.${cfg.provider}}/${name}";
  }) config.homelab.derived.secrets;

  config.homelab.secrets.missing = lib.optionals (cfg.provider == "agenix") (
    lib.attrNames (lib.filterAttrs (_: secret: !secret.exists) config.homelab.derived.secrets)
  );
}
