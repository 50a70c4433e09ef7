# One disk: the partition that UEFI firmware boots from, with the kernels of several generations, and
# the rest.
{
  disko.devices.disk.main = {
    type = "disk";
    # By its id: names as sda change when a second disk is plugged in.
    device = "@disk@";
    content = {
      type = "gpt";
      partitions = {
        efi = {
          size = "1G";
          type = "EF00";
          content = {
            type = "filesystem";
            format = "vfat";
            mountpoint = "/boot";
            mountOptions = [ "umask=0077" ];
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
