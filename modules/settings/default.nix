# What the derived values need to know about the machine as a whole.
{
  _class = "nixos";

  imports = [
    ./proxy.nix
    ./backup.nix
    ./tls.nix
    ./secrets
  ];
}
