# A machine that `deploy vm` starts on the operator's computer. The modules of the other machines do
# not import it, because NixOS's qemu-vm.nix replaces their file systems.
{
  config,
  lib,
  pkgs,
  modulesPath,
  ...
}:
let
  serial = if pkgs.stdenv.hostPlatform.isx86 then "ttyS0" else "ttyAMA0";
in
{
  _class = "nixos";

  imports = [
    "${modulesPath}/virtualisation/qemu-vm.nix"
    ../deploy
    ./first-boot.nix
    ./image.nix
    ./key.nix
  ];

  virtualisation = {
    # The image of the first system's store is below; everything that is deployed is written to the
    # disk, and stays there.
    useNixStoreImage = true;
    writableStore = true;
    writableStoreUseTmpfs = false;
    graphics = lib.mkDefault false;

    # `deploy vm` makes an empty disk, which this formats at its first boot.
    rootDevice = "/dev/disk/by-id/virtio-root";
    fileSystems = {
      "/".autoFormat = true;
      "/nix/.ro-store" = {
        device = lib.mkForce "/dev/disk/by-id/virtio-store";
        fsType = lib.mkForce "squashfs";
        neededForBoot = true;
      };
    };

    # The boot files are in a folder of the computer that runs it, where `deploy vm` reads them. The
    # folders that NixOS's start script shares are not there.
    sharedDirectories = lib.mkForce {
      boot = {
        source = "boot";
        target = "/boot";
        securityModel = "mapped-xattr";
      };
    };
  };

  boot = {
    # No firmware reads it: `deploy vm` does, and starts qemu with the default entry.
    loader.grub.enable = lib.mkForce false;
    loader.systemd-boot.enable = lib.mkForce false;
    loader.generic-extlinux-compatible = {
      enable = true;
      useGenerationDeviceTree = false;
      configurationLimit = lib.mkDefault 10;
    };
    kernelParams = [
      "console=${serial}"
      # A kernel that panics restarts, and boots what was committed.
      "panic=1"
      "boot.panic_on_fail"
    ];
    initrd.availableKernelModules = [ "squashfs" ];
  };

  deploy = {
    image = "vm";
    ssh = {
      hostname = lib.mkForce "127.0.0.1";
      port = lib.mkDefault 2222;
      # Each disk has a host key of its own, remembered beside the disk.
      opts = [
        "-o"
        "UserKnownHostsFile=~/.local/state/deploy/vm/${config.deploy.vm.name}/known_hosts"
        "-o"
        "HostKeyAlias=${config.deploy.vm.name}"
        "-o"
        "StrictHostKeyChecking=accept-new"
      ];
    };
  };
}
