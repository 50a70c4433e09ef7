# The agent that is installed on a machine is the one under test, not a stub: the file
# `deploy-agent` that the lab puts beside this one.
{
  lib,
  options,
  pkgs,
  ...
}:
{
  config = lib.optionalAttrs (options.services ? deploy-agent && builtins.pathExists ./deploy-agent) {
    services.deploy-agent.package = lib.mkForce (
      pkgs.runCommandLocal "deploy-agent" { } "install -D -m 0755 ${./deploy-agent} $out/bin/deploy-agent"
    );
  };
}
