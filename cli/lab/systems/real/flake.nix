{
  description = "Real NixOS systems for lab hosts: one module each in ./machines";

  # Where the inputs folder's nixpkgs-real is on the machine that evaluates.
  inputs.nixpkgs.url = "path:@nixpkgs@";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      names = map (lib.removeSuffix ".nix") (
        lib.filter (lib.hasSuffix ".nix") (lib.attrNames (builtins.readDir ./machines))
      );
      profile = import ./systems/deploy-rs.nix { };
      # Settings of a machine's node, for those that have any.
      node =
        name:
        let
          file = ./machines + "/${name}.json";
        in
        lib.optionalAttrs (builtins.pathExists file) (lib.importJSON file);
    in
    {
      nixosConfigurations = lib.genAttrs names (
        name:
        lib.nixosSystem {
          modules = [
            nixpkgs.nixosModules.labHost
            ./machine.nix
            { networking.hostName = lib.mkDefault name; }
            (./machines + "/${name}.nix")
          ];
        }
      );
      deploy.nodes = lib.genAttrs names (
        name:
        {
          hostname = name;
          sshUser = "root";
          user = "root";
          profiles.system.path = profile self.nixosConfigurations.${name};
        }
        // node name
      );
    };
}
