# The board: how it boots and what its first steps need.
{
  boot = {
    # disko tells GRUB the disk.
    loader.grub = {
      enable = true;
      # Kernels of old generations fill /boot.
      configurationLimit = 20;
    };
    initrd.availableKernelModules = [
      "ahci"
      "nvme"
      "sd_mod"
      "usb_storage"
      "xhci_pci"
    ];
    # A kernel that panics restarts, and then boots what was confirmed.
    kernelParams = [ "panic=10" ];
  };

  hardware.enableRedistributableFirmware = true;
}
