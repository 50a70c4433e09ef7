# The installer of a new machine. It needs no screen and accepts the admins' SSH keys.
{
  lib,
  pkgs,
  modulesPath,
  inputs,
  ...
}:
let
  keys = import ../keys.nix;
in
{
  imports = [
    "${modulesPath}/installer/cd-dvd/installation-cd-minimal.nix"
    ./reach.nix
    ./wifi.nix
  ];

  nixpkgs.hostPlatform = "x86_64-linux";
  system.stateVersion = "26.05";

  image.baseName = lib.mkForce "installer-iso";
  # This is faster to make and a little larger.
  isoImage.squashfsCompression = "zstd -Xcompression-level 3";

  hardware.enableRedistributableFirmware = true;
  environment.systemPackages = [ pkgs.disko ];

  users.users.root.openssh.authorizedKeys.keys = inputs.self.lib.sshKeys keys [ "admins" ];
  services.openssh.settings = {
    PasswordAuthentication = false;
    KbdInteractiveAuthentication = false;
    PermitRootLogin = lib.mkForce "prohibit-password";
  };
  # Its name for a login: ssh root@installer.local
  networking.hostName = "installer";
  services.avahi = {
    enable = true;
    nssmdns4 = true;
    openFirewall = true;
    publish = {
      enable = true;
      addresses = true;
    };
  };
}
