# Where secrets are kept and where services find them. A provider decrypts them: each is a file here
# with the same interface, and a user's flake adds one in the same way.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.secrets;
  inherit (config.homelab) derived;
  known = lib.attrNames cfg.providers;
  # An assertion reports an unknown provider.
  provider =
    cfg.providers.${cfg.provider} or {
      folder = "/run/secrets";
      extension = null;
      make = "";
    };
  absent = lib.filterAttrs (_: secret: !secret.exists) derived.secrets;
  present = lib.filterAttrs (_: secret: secret.exists) derived.secrets;
  fileOf = name: "${baseNameOf cfg.directory}/${name}${toString provider.extension}";

  neverMade = name: secret: {
    inherit name;
    # The path in the flake, not in the store: a person has to make this file.
    file = fileOf name;
    inherit (cfg.files.${name}) path;
    inherit (secret)
      mode
      owner
      group
      restartUnits
      hint
      ;
    identityPaths = [ ];
    ageBin = "";
  }
  // lib.optionalAttrs (secret.generator != null) { inherit (secret) generator; };
in
{
  imports = [
    ./agenix.nix
    ./install.nix
    ./sops.nix
    ./plain.nix
  ];

  options.homelab.secrets = {
    directory = mkOption {
      type = types.path;
      example = lib.literalExpression "./secrets";
      description = "The folder of the flake with the encrypted files, NAME and the provider's extension each.";
    };

    provider = mkOption {
      type = types.str;
      default = "agenix";
      description = ''
        One of `homelab.secrets.providers`. `agenix` and `sops` decrypt files with the
        machine's host key; either wants its own module imported. `plain` writes the
        word `nixos` into each, readable by everybody: for virtual machines that
        hold nothing, and nothing else.
      '';
    };

    providers = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            folder = mkOption {
              type = types.str;
              description = "Where a secret is at run time, under its name.";
            };
            extension = mkOption {
              type = types.nullOr types.str;
              default = null;
              example = ".age";
              description = "How the file in `homelab.secrets.directory` is named behind the secret's name; null when it needs none.";
            };
            make = mkOption {
              type = types.str;
              default = "";
              example = "deploy secrets new";
              description = "The command that makes such a file, for messages.";
            };
          };
        }
      );
      description = "Who can decrypt secrets. A provider of your own sets its entry here, and, under `lib.mkIf (config.homelab.secrets.provider == …)`, hands `homelab.derived.secrets` to the program that decrypts.";
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

    warn = mkOption {
      type = types.bool;
      default = true;
      description = "Whether an evaluation warns of missing secrets. `deploy` names them besides and refuses; `nixos-rebuild` knows nothing of them.";
    };

    manifest = mkOption {
      type = types.listOf (types.attrsOf types.anything);
      default = [ ];
      internal = true;
      description = "The secrets as machine.json lists them.";
    };
  };

  config = {
    homelab.secrets = {
      files = lib.mapAttrs (name: _: { path = "${provider.folder}/${name}"; }) derived.secrets;
      missing = lib.attrNames absent;
      manifest = lib.mapAttrsToList neverMade absent;
    };

    assertions = lib.optional (derived.secrets != { } && !lib.elem cfg.provider known) {
      assertion = false;
      message = "`${cfg.provider}` is no provider of secrets: set homelab.secrets.provider to one of ${lib.concatStringsSep ", " known}, or declare homelab.secrets.providers.${cfg.provider}";
    };
    warnings = lib.optional (cfg.warn && absent != { }) (
      "secrets that do not exist yet, and whose services will not start: "
      + lib.concatStringsSep ", " (map fileOf (lib.attrNames absent))
      + lib.optionalString (provider.make != "") ". Make each with `${provider.make}`"
    );

    # Few providers restart the readers of a secret. The store path of a file changes only with its
    # content.
    systemd.services = lib.mkMerge (
      lib.concatLists (
        lib.mapAttrsToList (
          _: secret:
          map (unit: {
            ${lib.removeSuffix ".service" unit}.restartTriggers = [ "${secret.file}" ];
          }) secret.restartUnits
        ) (lib.filterAttrs (_: secret: secret.file != null) present)
      )
    );
  };
}
