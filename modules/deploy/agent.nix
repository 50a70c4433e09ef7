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
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

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
