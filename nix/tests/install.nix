# What `deploy install` reads of a configuration: disko's disks, the firmware that its boot loader is
# for, and its host key.
{ inputs, lib, ... }:
let
  installs =
    configurations:
    (import ../../cli/deploy/src/stages/fleet (
      builtins.toJSON {
        candidates = map (name: [ name ]) (lib.attrNames configurations);
        among = null;
        what = "install";
      }
    ) { nixosConfigurations = configurations; }).install;
  inherit (inputs.self.nixosConfigurations) frame1;
  frame1With = module: frame1.extendModules { modules = [ module ]; };
  of = module: (installs { frame1 = frame1With module; }).frame1;
  plain = of { };
  firmware = module: { inherit (of module) uefi bios; };
in
{
  "frame1's disk is named by its id, and disko makes it" = {
    expr = {
      inherit (plain) disks;
      isScript = lib.hasInfix "disko" plain.disko.out;
      isDerivation = lib.hasSuffix ".drv" plain.disko.drv;
    };
    expected = {
      disks = [
        {
          name = "main";
          device = "/dev/disk/by-id/ata-EXAMPLE_SSD_500GB_S0000000000000";
        }
      ];
      isScript = true;
      isDerivation = true;
    };
  };
  "its boot loader starts from either firmware, and it has a host key" = {
    expr = {
      inherit (plain)
        uefi
        bios
        sshd
        wireless
        hostKey
        identities
        sops
        memory
        ;
    };
    expected = {
      uefi = true;
      bios = true;
      sshd = true;
      wireless = false;
      hostKey = "/etc/ssh/ssh_host_ed25519_key";
      identities = [ ];
      sops = false;
      memory = null;
    };
  };
  "systemd-boot is for UEFI alone" = {
    expr = firmware {
      boot.loader.grub.enable = lib.mkForce false;
      boot.loader.systemd-boot.enable = lib.mkForce true;
    };
    expected = {
      uefi = true;
      bios = false;
    };
  };
  "GRUB without a device is for UEFI alone, and without efiSupport for a BIOS alone" = {
    expr = map firmware [
      { boot.loader.grub.devices = lib.mkForce [ "nodev" ]; }
      {
        boot.loader.grub.efiSupport = lib.mkForce false;
        boot.loader.grub.efiInstallAsRemovable = lib.mkForce false;
      }
    ];
    expected = [
      {
        uefi = true;
        bios = false;
      }
      {
        uefi = false;
        bios = true;
      }
    ];
  };
  "the memory, a Wi-Fi and a moved host key are read, and what agenix opens secrets with" = {
    expr =
      let
        is = of {
          deploy.memory = 8192;
          age.secrets.token.file = ./evaluate.nix;
          networking.networkmanager.enable = true;
          services.openssh.hostKeys = lib.mkForce [
            {
              type = "ed25519";
              path = "/persist/key";
            }
          ];
        };
      in
      {
        inherit (is)
          memory
          wireless
          hostKey
          identities
          ;
      };
    expected = {
      memory = 8192;
      wireless = true;
      hostKey = "/persist/key";
      identities = [ "/persist/key" ];
    };
  };
  "a machine without a disk layout has neither disks nor a script" = {
    expr = {
      inherit
        (of {
          disko.devices = lib.mkForce { };
          boot.loader.grub.devices = lib.mkForce [ "nodev" ];
          fileSystems."/" = {
            device = "/dev/sda1";
            fsType = "ext4";
          };
        })
        disks
        disko
        ;
    };
    expected = {
      disks = [ ];
      disko = null;
    };
  };
}
