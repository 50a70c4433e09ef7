# One disk: what GRUB needs, by BIOS and by UEFI, /boot, and the rest.
#
# The disk is named by its id: `sda` is another one when a second is plugged in. On the
# machine, or in the installer on it, `ls -l /dev/disk/by-id` shows it: the line that points
# at the disk and has no `-part`. This one is an example that no machine has: put in yours.
{
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/disk/by-id/ata-EXAMPLE_SSD_500GB_S0000000000000";
    content = {
      type = "gpt";
      partitions = {
        # GRUB's own part on a GPT disk that boots by BIOS.
        bios = {
          size = "1M";
          type = "EF02";
        };
        # Where firmware looks that boots by UEFI.
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
