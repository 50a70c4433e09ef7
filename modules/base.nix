# The contract, what follows from it, the policies and the deploy target; no service.
{
  _class = "nixos";

  imports = [
    ./contract
    ./settings
    ./fleet
    ./derived
    ./policy
    ./deploy
  ];
}
