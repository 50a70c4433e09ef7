# From a folder of machines to configurations; what is refused is in wrong/.
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
  "every declared secret of frame1 has a rule for agenix" = {
    expr = lib.subtractLists (lib.attrNames (import ../../secrets/secrets.nix)) (
      map (name: "${name}.age") (
        lib.attrNames inputs.self.nixosConfigurations.frame1.config.homelab.derived.secrets
      )
    );
    expected = [ ];
  };
  "the builder's line names user, system, key and features" = {
    expr = inputs.self.nixosConfigurations.frame1.config.homelab.remoteBuilder.machinesLine;
    expected = "ssh-ng://builder@192.168.2.241 x86_64-linux /etc/nix/builder_ed25519 4 1 nixos-test,benchmark,big-parallel,kvm - -";
  };
}
