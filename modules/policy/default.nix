# Policies over the merged services. Each message names the option to change.
{
  _class = "nixos";

  imports = [
    ./collisions.nix
    ./exposure.nix
    ./access.nix
    ./routes.nix
    ./units.nix
    ./upkeep.nix
    ./secrets.nix
    ./certificates.nix
    ./datasources.nix
    ./names.nix
  ];
}
