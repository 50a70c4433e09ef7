# Settings of the machine as a whole that the derived values need.
{
  _class = "nixos";

  imports = [
    ./proxy.nix
    ./backup.nix
    ./tls.nix
    ./secrets
  ];
}
