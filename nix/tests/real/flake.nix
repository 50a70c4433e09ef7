{
  description = "frame1's services over NixOS's own modules, on a lab host";

  # The command line sets both: `--override-input deploy …`, and for `deploy/nixpkgs` a nixpkgs with
  # `nixosModules.labHost`.
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
      # As on the machine at home: certificates are files, and one is ordered.
      packages.x86_64-linux.acme =
        (inputs.self.nixosConfigurations.frame1.extendModules {
          modules = [ { homelab.tls.mode = nixpkgs.lib.mkForce "acme"; } ];
        }).config.system.build.etc;
      # Which alerts must fire in which state, for promtool, with the rules.
      packages.x86_64-linux.alerts = nixpkgs.legacyPackages.x86_64-linux.writeText "alerts.json" (
        builtins.toJSON {
          rule_files = [ "rules.yml" ];
          evaluation_interval = "1h";
          tests = map (state: state.test) (
            (import "${inputs.deploy}/nix/tests/alerts/series.nix" {
              inherit (nixpkgs) lib;
              inherit (inputs.self.nixosConfigurations.frame1) config;
            }).states
          );
        }
      );
      # The proxy orders the certificates itself, with a plugin that Debian's package lacks.
      packages.x86_64-linux.plugin =
        (inputs.self.nixosConfigurations.frame1.extendModules {
          modules = [ { homelab.tls.mode = nixpkgs.lib.mkForce "plugin"; } ];
        }).config.system.build.etc;
      # The rules that tell a tailnet address from a forged one, for each of NixOS's firewalls.
      packages.x86_64-linux.firewall =
        let
          networking =
            nftables:
            (inputs.self.nixosConfigurations.frame1.extendModules {
              modules = [
                {
                  homelab.proxy.tailnetInterface = "tailscale0";
                  networking.nftables.enable = nixpkgs.lib.mkForce nftables;
                }
              ];
            }).config.networking;
          inherit (inputs.self.nixosConfigurations.frame1) pkgs;
          table = (networking true).nftables.tables.homelab-tailnet;
        in
        pkgs.linkFarm "firewall" {
          iptables = pkgs.writeText "iptables" (networking false).firewall.extraCommands;
          nft = pkgs.writeText "nft" "table ${table.family} homelab-tailnet {\n${table.content}}\n";
        };
      deploy.nodes.frame1 = inputs.deploy.lib.deployNode inputs.self.nixosConfigurations.frame1;
    };
}
