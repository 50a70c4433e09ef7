# The library. Small on purpose; every function is here with what it takes.
{ inputs }:
let
  inherit (inputs.nixpkgs) lib;
  node = import ./node.nix { inherit inputs lib; };
in
{
  # fleet { machines, self, secrets ? …, images ? [ ], modules ? [ ], specialArgs ? { }, roles ? { } }
  #
  # A folder with a folder per machine becomes `nixosConfigurations` and `deploy`.
  # `roles` says once which machine is the `gateway` (its proxy is in front of the sites of all),
  # the `monitor` and where the `logs` are kept.
  # `self` is the flake that calls: its revision, its nixpkgs, agenix and disko where it has them,
  # and its inputs, which modules get as `inputs`. `secrets` is its folder of
  # agenix files. `images` names the machines that are installed from, not
  # deployed to. `modules` go into every machine.
  fleet = import ./fleet.nix { inherit inputs lib node; };

  # deployNode configuration
  #
  # One `deploy.nodes.NAME` out of a NixOS configuration that imports
  # `nixosModules.deploy`: machine.json's names, and deploy-rs's beside them.
  deployNode = node;

  # machineJson { name, node, self }
  #
  # The whole document out of one `deploy.nodes.NAME`, as `deploy` makes it by itself.
  # `self` is the flake, for the revision.
  machineJson = import ./machine.nix { inherit lib; };

  # sshKeys keys groups
  #
  # Public keys of groups of a file of keys, as one list without repeats.
  sshKeys = import ./ssh-keys.nix { inherit lib; };
}
