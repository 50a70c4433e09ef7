# The contract, what follows from it, the policies, the shipped services and the
# deploy target. Importing it changes nothing until something is enabled.
{
  _class = "nixos";

  imports = [
    ./contract
    ./settings
    ./derived
    ./policy
    ./services
    ./deploy
  ];
}
