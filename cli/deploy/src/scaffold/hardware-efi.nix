# The board: how it boots and what its first steps need.
{
  boot = {
    loader.systemd-boot = {
      enable = true;
      # Kernels of old generations fill /boot.
      configurationLimit = 10;
    };
    initrd.availableKernelModules = [
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
