# One disk: what GRUB needs, /boot, and the rest.
{
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/sda";
    content = {
      type = "gpt";
      partitions = {
        # GRUB's own part on a GPT disk that boots by BIOS.
        bios = {
          size = "1M";
          type = "EF02";
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
