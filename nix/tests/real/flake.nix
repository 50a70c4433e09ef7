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
      # As the machine at home has it: certificates are files, and one is ordered.
      packages.x86_64-linux.acme =
        (inputs.self.nixosConfigurations.frame1.extendModules {
          modules = [ { homelab.tls.mode = nixpkgs.lib.mkForce "acme"; } ];
        }).config.system.build.etc;
      deploy.nodes.frame1 = inputs.deploy.lib.deployNode inputs.self.nixosConfigurations.frame1;
    };
}
