# Turns a folder of machines into configurations. The refused ones are in wrong/.
{ inputs, lib, ... }:
let
  keys = {
    admins.a = "ssh-ed25519 A";
    others = {
      a = "ssh-ed25519 A";
      b = "ssh-ed25519 B";
    };
  };
in
{
  "keys of several groups, each once" = {
    expr = inputs.self.lib.sshKeys keys [
      "admins"
      "others"
    ];
    expected = [
      "ssh-ed25519 A"
      "ssh-ed25519 B"
    ];
  };
  "a machine is named as its folder is" = {
    expr = lib.mapAttrs (_: machine: machine.config.networking.hostName) (
      removeAttrs inputs.self.nixosConfigurations [ "installer-iso" ]
    );
    expected = {
      frame1 = "frame1";
      frame1-vm = "frame1-vm";
      frame1-vm-x86 = "frame1-vm-x86";
    };
  };
  "a machine without a host name is reached by its name in the fleet, and may call itself anything" = {
    expr =
      let
        node =
          (inputs.self.lib.fleet {
            machines = ./machines;
            self.inputs = { inherit (inputs) nixpkgs; };
            modules = [ { networking.hostName = lib.mkForce ""; } ];
          }).deploy.nodes.small;
      in
      {
        inherit (node) hostName;
        inherit (node.ssh) hostname;
      };
    expected = {
      hostName = null;
      hostname = "small";
    };
  };
  "modules get the inputs of the flake that calls, and not this one's" = {
    expr =
      let
        inherit
          (inputs.self.lib.fleet {
            machines = ../../machines;
            self.inputs = {
              inherit (inputs) nixpkgs;
              mine = "mine";
            };
          })
          nixosConfigurations
          ;
        given = nixosConfigurations.frame1._module.specialArgs.inputs;
      in
      lib.attrNames given ++ [ given.mine ];
    expected = [
      "mine"
      "nixpkgs"
      "self"
      "mine"
    ];
  };
  "agenix and disko are the caller's own, where it has them" = {
    expr =
      let
        marked = mark: module: {
          imports = [ module ];
          options.own.${mark} = lib.mkOption { default = true; };
        };
        of =
          own:
          (inputs.self.lib.fleet {
            machines = ./machines;
            self.inputs = {
              inherit (inputs) nixpkgs;
            }
            // own;
          }).nixosConfigurations.small;
        theirs = of {
          agenix.nixosModules.default = marked "agenix" inputs.agenix.nixosModules.default;
          disko.nixosModules.disko = marked "disko" inputs.disko.nixosModules.disko;
        };
        none = of { };
      in
      {
        theirs = lib.attrNames theirs.options.own;
        none = map (option: none.options ? ${option}) [
          "own"
          "age"
          "disko"
        ];
      };
    expected = {
      theirs = [
        "agenix"
        "disko"
      ];
      none = [
        false
        true
        true
      ];
    };
  };
  "who builds a machine of a fleet with nixos-rebuild is warned of the secrets that are missing, and of nothing else" = {
    expr =
      let
        warningsOf =
          names:
          (inputs.self.lib.fleet {
            machines = ./machines;
            secrets = ./secrets;
            self.inputs = { inherit (inputs) nixpkgs; };
            modules = [ { homelab.services.notes.secrets = lib.genAttrs names (_: { }); } ];
          }).nixosConfigurations.store.config.warnings;
      in
      map warningsOf [
        [
          "absent"
          "present"
        ]
        [ "present" ]
      ];
    expected = [
      [
        "secrets that do not exist yet, and whose services will not start: secrets/absent.age. Make each with `deploy secrets new`"
      ]
      [ ]
    ];
  };
  "every declared secret of frame1 has a rule for agenix" = {
    expr = lib.subtractLists (lib.attrNames (import ../../secrets/secrets.nix)) (
      map (name: "${name}.age") (
        lib.attrNames inputs.self.nixosConfigurations.frame1.config.homelab.derived.secrets
      )
    );
    expected = [ ];
  };
  "the builder's line names user, system, key and features" = {
    expr = inputs.self.nixosConfigurations.frame1.config.homelab.services.remote-builder.machinesLine;
    expected = "ssh-ng://builder@192.168.2.241 x86_64-linux /etc/nix/builder_ed25519 4 1 nixos-test,benchmark,big-parallel,kvm - -";
  };
}
