# The library. It is small on purpose; each function is here with its arguments.
{ inputs }:
let
  inherit (inputs.nixpkgs) lib;
  node = import ./node.nix { inherit inputs lib; };
in
{
  # fleet { machines, self, secrets ? …, images ? [ ], modules ? [ ], specialArgs ? { }, roles ? { }
  # }
  #
  # A folder with a folder per machine becomes `nixosConfigurations` and `deploy`. `roles` names the
  # machine that is the `gateway` (its proxy is in front of the sites of all machines), the
  # `monitor`, and the one with the `logs`. `self` is the calling flake: its revision, its nixpkgs,
  # agenix and disko if it has them, and its inputs, which modules get as `inputs`. `secrets` is its
  # folder of agenix files. `images` names installers, which are not deployed to. `modules` are part
  # of every machine.
  fleet = import ./fleet.nix { inherit inputs lib node; };

  # deployNode configuration
  #
  # The `deploy.nodes.NAME` of a NixOS configuration that imports `nixosModules.deploy`:
  # machine.json's names, and deploy-rs's beside them.
  deployNode = node;

  # machineJson { name, node, self }
  #
  # The whole document of one `deploy.nodes.NAME`, as `deploy` itself makes it. `self` is the flake,
  # for the revision.
  machineJson = import ./machine.nix { inherit lib; };

  # sshKeys keys groups
  #
  # The public keys of groups in a file of keys, as one list without repetitions.
  sshKeys = import ./ssh-keys.nix { inherit lib; };
}
