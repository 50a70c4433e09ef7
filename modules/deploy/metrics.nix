# The outcomes of attempts, for the node exporter. They are written whenever an attempt ended.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.deploy.agent;
  script = pkgs.writeShellScript "deploy-metrics" ''
    exec ${pkgs.runtimeShell} ${./metrics.sh} ${lib.getExe pkgs.jq} /nix/var/deploy-agent ${cfg.textfileDirectory}
  '';
in
{
  options.deploy.agent.textfileDirectory = lib.mkOption {
    type = lib.types.nullOr lib.types.str;
    default = null;
    description = "Where the node exporter looks for files: `deploy.prom` is written there. Null for none. The node exporter of this flake sets it.";
  };

  config = lib.mkIf (cfg.enable && cfg.textfileDirectory != null) {
    # Only ended attempts are put into this folder, so nothing starts in the middle of one.
    systemd.paths.deploy-metrics = {
      description = "Watch for ended deploys";
      wantedBy = [ "paths.target" ];
      pathConfig.PathChanged = "/nix/var/deploy-agent/attempts";
    };
    # A unit that only reports must not decide.
    deploy.units.advisory = [ "deploy-metrics.service" ];
    systemd.services.deploy-metrics = {
      description = "Export how deploys ended";
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = script;
      };
    };
  };
}
