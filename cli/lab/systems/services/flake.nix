{
  description = "This repository's services over NixOS's own modules, on a lab host";

  inputs = {
    nixpkgs.url = "path:@nixpkgs@";
    # This repository, as it is on the machine that evaluates.
    deploy = {
      url = "path:@flake@";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    inputs:
    let
      inherit (inputs) deploy nixpkgs self;
    in
    {
      nixosConfigurations.frame1 = nixpkgs.lib.nixosSystem {
        specialArgs = { inherit inputs; };
        modules = [
          deploy.nixosModules.default
          nixpkgs.nixosModules.labHost
          # Options that NixOS got after the module tree that there is here.
          "${deploy}/nix/tests/real/newer-options.nix"
          ./machine.nix
          ./services.nix
          ./machines/frame1.nix
        ];
      };
      deploy.nodes.frame1 = deploy.lib.deployNode self.nixosConfigurations.frame1;
    };
}
