# Makes a machine a target of `deploy`: how to reach it, and the installed agent if
# `deploy.agent.enable` is set.
{
  _class = "nixos";

  imports = [
    ./node.nix
    ./agent.nix
    ./deploy-user.nix
    ./metrics.nix
  ];
}
