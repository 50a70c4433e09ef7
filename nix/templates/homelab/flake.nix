{
  description = "A homelab";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    deploy.url = "github:kaiferdev/deploy";
    deploy.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    inputs:
    let
      # Each folder in ./machines is a machine.
      fleet = inputs.deploy.lib.fleet {
        inherit (inputs) self;
        machines = ./machines;
        secrets = ./secrets;
        specialArgs = { inherit inputs; };
      };
    in
    {
      inherit (fleet) nixosConfigurations deploy;
    };
}
