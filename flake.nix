{
  description = "Deploy NixOS machines and keep only what is reachable and healthy";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    agenix = {
      url = "github:ryantm/agenix";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.darwin.follows = "";
      inputs.home-manager.follows = "";
    };
    disko = {
      url = "github:nix-community/disko";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  # The table of contents: each output names one file.
  outputs =
    inputs:
    let
      flakeLib = import ./nix/lib { inherit inputs; };
      forAllSystems = import ./nix/systems.nix inputs.nixpkgs;
      fleet = flakeLib.fleet {
        machines = ./machines;
        secrets = ./secrets;
        images = [ "installer-iso" ];
        self = inputs.self;
      };
    in
    {
      lib = flakeLib;
      nixosModules = import ./modules;
      overlays.default = import ./nix/overlay.nix;
      templates.default = {
        path = ./nix/templates/homelab;
        description = "A new homelab: one machine, its sites, its checks";
      };

      inherit (fleet) nixosConfigurations deploy;

      packages = forAllSystems (pkgs: import ./nix/packages { inherit inputs pkgs; });
      checks = forAllSystems (pkgs: import ./nix/checks { inherit inputs pkgs; });
      devShells = forAllSystems (pkgs: import ./nix/dev-shells.nix { inherit inputs pkgs; });
      formatter = forAllSystems (pkgs: pkgs.nixfmt-tree);
    };
}
