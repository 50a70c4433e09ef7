# The installed agent. A deploy does not need it, because it pushes its own. With it, an attempt
# that a power cut left open is ended at boot, and a user with a narrow sudo rule can deploy.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.deploy.agent;
in
{
  options.deploy.agent = {
    enable = lib.mkEnableOption "deploy-agent on this machine";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ../../nix/packages/agent.nix { };
      defaultText = lib.literalMD "deploy-agent, built from this flake";
      description = "The agent.";
    };

    acceptBuilders = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether a builder of `--build-on HOST` may send what it built straight to this machine. sshd then also reads `/run/deploy-agent-keys/%u`, where the agent puts a key for one login, on request of an operator who is root here. Only root can write there, and a restart empties it.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

    # cli/agent/src/storage/paths.rs has the folder. Without this line what a builder built goes
    # through the operator's computer.
    services.openssh.authorizedKeysFiles = lib.mkIf cfg.acceptBuilders [ "/run/deploy-agent-keys/%u" ];

    systemd.services.deploy-agent-boot = {
      description = "Finish a deploy that a power cut left open";
      wantedBy = [ "multi-user.target" ];
      after = [ "local-fs.target" ];
      # An attempt in progress has its agent here, and /run does not survive a boot. A switch that
      # starts this unit must not end the attempt that it is part of.
      unitConfig.ConditionPathExists = "!/run/deploy-agent/agent";
      restartIfChanged = false;
      stopIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "/run/current-system/sw/bin/deploy-agent boot";
      };
    };

    # Otherwise a failed mount stops sshd and waits for somebody at the console.
    systemd.enableEmergencyMode = lib.mkDefault false;
  };
}
