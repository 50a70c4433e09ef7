# What the derived values need to know about the machine as a whole.
{
  _class = "nixos";

  imports = [
    ./proxy.nix
    ./tls.nix
    ./secrets.nix
    ./agenix.nix
    ./plain-secrets.nix
  ];
}
