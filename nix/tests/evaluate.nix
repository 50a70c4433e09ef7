# A configuration out of modules, as small as NixOS lets it be.
{ inputs, lib }:
modules:
(lib.nixosSystem {
  specialArgs = { inherit inputs; };
  modules = [
    inputs.self.nixosModules.default
    inputs.agenix.nixosModules.default
    {
      nixpkgs.hostPlatform = "x86_64-linux";
      system.stateVersion = "26.05";
      networking.hostName = "test";
      boot.loader.grub.enable = false;
      fileSystems."/" = {
        device = "/dev/vda";
        fsType = "ext4";
      };
      homelab.secrets.directory = ./secrets;
    }
  ]
  ++ modules;
}).config
