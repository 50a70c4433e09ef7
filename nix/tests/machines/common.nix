# The shared part of the three machines in nix/tests/several.nix.
address: {
  nixpkgs.hostPlatform = "x86_64-linux";
  system.stateVersion = "26.05";
  boot.loader.grub.enable = false;
  fileSystems."/" = {
    device = "/dev/vda";
    fsType = "ext4";
  };
  homelab.fleet = {
    inherit address;
    interface = "tailscale0";
  };
}
