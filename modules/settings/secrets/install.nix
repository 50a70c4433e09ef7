# How agenix's secrets are put in place: by install.sh in place of agenix's own script. Its options,
# files and folders stay agenix's.
{
  lib,
  config,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  enabled =
    config.homelab.secrets.provider == "agenix"
    && config.homelab.secrets.keepWorking
    && options ? age
    && age.secrets != { };
  age = config.age or { secrets = { }; };

  # agenix has a unit in place of activation scripts where users are made by a unit.
  usersByUnit =
    options.systemd ? sysusers && (config.systemd.sysusers.enable || config.services.userborn.enable or false);

  line =
    secret:
    lib.concatStringsSep "\t" [
      secret.name
      "${secret.file}"
      secret.path
      secret.mode
      secret.owner
      secret.group
      (if secret.symlink then "1" else "")
    ];
  list = pkgs.writeText "secrets" (lib.concatMapStrings (secret: line secret + "\n") (lib.attrValues age.secrets));

  # In a shell of its own, which may end.
  step = name: ''
    (
      STEP=${name} LIST=${list}
      SECRETS_DIR=${lib.escapeShellArg age.secretsDir} MOUNT_POINT=${lib.escapeShellArg age.secretsMountPoint}
      AGE=${lib.escapeShellArg age.ageBin}
      IDENTITIES=(${lib.escapeShellArgs (map toString age.identityPaths)})
    ${builtins.readFile ./install.sh}
    )
  '';
in
{
  options.homelab.secrets.keepWorking = mkOption {
    type = types.bool;
    default = true;
    description = ''
      Where a secret of agenix's cannot be decrypted, leave those that work as they are, and copy
      those whose file did not change. False: agenix's own script, which removes the secrets of
      before and decrypts all of them at each switch.
    '';
  };

  config = lib.mkIf enabled (
    {
      system.activationScripts = lib.mkIf (!usersByUnit) {
        agenixNewGeneration.text = lib.mkForce "";
        agenixInstall.text = lib.mkForce (step "install");
        agenixChown.text = lib.mkForce (step "own");
      };
      systemd.services.agenix-install-secrets = lib.mkIf usersByUnit {
        serviceConfig.ExecStart = lib.mkForce (
          pkgs.writeShellScript "install-secrets" "set -e\n${step "install"}${step "own"}"
        );
      };
    }
  );
}
