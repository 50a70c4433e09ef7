# The board: how it boots and what its first steps need.
{
  boot = {
    # disko tells GRUB the disk. GRUB is installed for BIOS and for UEFI, at the path that every
    # firmware checks, so that the disk boots in either kind of machine.
    loader.grub = {
      enable = true;
      efiSupport = true;
      efiInstallAsRemovable = true;
      # Kernels of old generations fill /boot.
      configurationLimit = 20;
    };
    loader.efi.efiSysMountPoint = "/boot/efi";
    initrd.availableKernelModules = [
      "ahci"
      "nvme"
      "sd_mod"
      "usb_storage"
      "virtio_blk"
      "virtio_pci"
      "xhci_pci"
    ];
    # A kernel that panics restarts and then boots the confirmed system. The second word does the
    # same for an initrd that finds no root file system.
    kernelParams = [
      "panic=10"
      "boot.panic_on_fail"
    ];
  };

  hardware.enableRedistributableFirmware = true;
}
