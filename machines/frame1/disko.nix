# One disk: GRUB's partition for BIOS and the one for UEFI, /boot, and the rest.
#
# The disk is named by its id, because `sda` changes when a second disk is plugged in. On the
# machine or in its installer, `ls -l /dev/disk/by-id` shows the id: use the line that points at the
# disk and has no `-part`. The id here is an example that no machine has; replace it.
{
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/disk/by-id/ata-EXAMPLE_SSD_500GB_S0000000000000";
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
