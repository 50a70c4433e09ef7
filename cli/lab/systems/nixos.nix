# A generation in the shape of `nixpkgs.lib.nixosSystem { … }`: the attributes that
# deployment tools read.
generation:
let
  platform = generation.platform or "x86_64-linux";
  hostName = generation.hostName or "frame1";
in
{
  class = "nixos";
  config = {
    boot.loader = {
      efi.efiSysMountPoint = "/boot";
      grub.enable = (generation.loader or "grub") == "grub";
      generic-extlinux-compatible.enable = (generation.loader or "grub") == "extlinux";
      systemd-boot.enable = (generation.loader or "grub") == "systemd-boot";
    };
    networking = { inherit hostName; domain = null; fqdnOrHostName = hostName; };
    nixpkgs.hostPlatform.system = platform;
    system = {
      build.toplevel = import ./raw generation;
      name = hostName;
      nixos.label = generation.release or "25.11.1";
      nixos.release = "25.11";
      stateVersion = generation.stateVersion or "25.11";
    };
  };
  options = { };
  pkgs = {
    system = platform;
    stdenv.hostPlatform.system = platform;
  };
}
