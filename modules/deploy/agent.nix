# The agent, installed. Not needed for a deploy, which brings its own; with it a
# deploy that a power cut left open is finished at boot, and a user with a narrow
# rule can deploy.
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
      # An attempt that is under way has its agent here, and /run does not survive
      # a boot: a switch that starts this unit must not end the attempt that it is
      # part of.
      unitConfig.ConditionPathExists = "!/run/deploy-agent/agent";
      restartIfChanged = false;
      stopIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "/run/current-system/sw/bin/deploy-agent boot";
      };
    };

    # A mount that fails would stop sshd and wait for somebody at the console.
    systemd.enableEmergencyMode = lib.mkDefault false;
  };
}
