{
  description = "frame1's services over NixOS's own modules, on a lab host";

  # Both are given on the command line: `--override-input deploy …`, and for
  # `deploy/nixpkgs` a nixpkgs with `nixosModules.labHost`.
  inputs.deploy.url = "path:../../..";

  outputs =
    inputs:
    let
      inherit (inputs.deploy.inputs) nixpkgs;
    in
    {
      nixosConfigurations.frame1 = nixpkgs.lib.nixosSystem {
        specialArgs = { inherit inputs; };
        modules = [
          inputs.deploy.nixosModules.default
          nixpkgs.nixosModules.labHost
          ./newer-options.nix
          ./machine.nix
        ];
      };
      deploy.nodes.frame1 = inputs.deploy.lib.deployNode inputs.self.nixosConfigurations.frame1;
    };
}
