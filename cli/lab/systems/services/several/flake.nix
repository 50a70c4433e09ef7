{
  description = "Two machines of one fleet on lab hosts: frame2's services behind frame1's proxy and in its metrics";

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
      inherit (inputs) deploy nixpkgs;
      fleet = deploy.lib.fleet {
        machines = ./machines;
        inherit (inputs) self;
        # Nobody keeps the logs: Debian has neither Loki nor Alloy.
        roles = {
          gateway = "frame1";
          monitor = "frame1";
        };
        modules = [
          nixpkgs.nixosModules.labHost
          # Options that NixOS got after the module tree that there is here.
          "${deploy}/nix/tests/real/newer-options.nix"
          ./machine.nix
          ./host.nix
          ./fleet.nix
          ({ machineName, ... }: { imports = [ (./. + "/${machineName}.nix") ]; })
        ];
      };
    in
    {
      inherit (fleet) nixosConfigurations deploy;
    };
}
