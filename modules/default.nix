# nixosModules: all of them, the deploy target alone, the contract without a service, a machine as a
# virtual machine, and each shipped service with the contract. They are paths, so that messages name files and a module that
# is imported twice counts once.
builtins.mapAttrs (_: service: {
  _class = "nixos";
  imports = [
    ./base.nix
    service
  ];
}) (import ./services-by-name.nix)
// {
  default = ./all.nix;
  contract = ./base.nix;
  deploy = ./deploy;
  vm = ./vm;
}
