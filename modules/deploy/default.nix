# What makes a machine one that `deploy` knows: how it is reached, and, when
# `deploy.agent.enable` is set, the agent installed on it.
{
  _class = "nixos";

  imports = [
    ./node.nix
    ./agent.nix
    ./deploy-user.nix
    ./metrics.nix
  ];
}
