# One disk: GRUB's partition for BIOS and the one for UEFI, /boot, and the rest.
{
  disko.devices.disk.main = {
    type = "disk";
    # By its id: names as sda change when a second disk is plugged in.
    device = "@disk@";
    content = {
      type = "gpt";
      partitions = {
        # GRUB's own partition on a GPT disk that boots by BIOS.
        bios = {
          size = "1M";
          type = "EF02";
        };
        # The partition that UEFI firmware boots from.
        efi = {
          size = "256M";
          type = "EF00";
          content = {
            type = "filesystem";
            format = "vfat";
            mountpoint = "/boot/efi";
            mountOptions = [ "umask=0077" ];
          };
        };
        # Room for the kernels of several generations.
        boot = {
          size = "1G";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/boot";
          };
        };
        root = {
          size = "100%";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/";
          };
        };
      };
    };
  };
}
