{
  description = "Machines of the lab, without nixpkgs: one file each in ./machines";

  outputs =
    { self }:
    let
      inherit (builtins) attrNames filter fromJSON listToAttrs map match mapAttrs readDir readFile head;
      json = filter (f: f != null) (map (match "(.*)\\.json") (attrNames (readDir ./machines)));
      machines = listToAttrs (
        map (m: { name = head m; value = fromJSON (readFile (./machines + "/${head m}.json")); }) json
      );
      system = import ./systems/nixos.nix;
      profile = import ./systems/deploy-rs.nix;
    in
    {
      nixosConfigurations = mapAttrs (_: m: system m.generation) machines;
      # Every system: what is built in one go.
      all = derivation {
        name = "all-systems";
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [ "-c" "echo $systems > $out" ];
        systems = map (m: m.config.system.build.toplevel) (builtins.attrValues self.nixosConfigurations);
      };
      deploy = {
        nodes = mapAttrs (
          name: m:
          {
            hostname = name;
            sshUser = "root";
            user = "root";
          }
          // (m.node or { })
          // {
            profiles.system = {
              path = profile { } self.nixosConfigurations.${name};
            } // (m.profile or { });
          }
        ) machines;
      };
    };
}
