# frame1: the machine at home, with all services.
{
  config,
  lib,
  inputs,
  ...
}:
let
  keys = import ../keys.nix;
  inherit (inputs.self.lib) sshKeys;
in
{
  imports = [
    ./disko.nix
    ./hardware.nix
    ./services.nix
  ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
  system.stateVersion = "26.05";
  time.timeZone = "Europe/Berlin";

  networking = {
    hostName = "frame1";
    useDHCP = lib.mkDefault true;
  };

  users.users.admin = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = sshKeys keys [ "admins" ];
  };
  security.sudo.wheelNeedsPassword = false;

  deploy = {
    agent = {
      enable = true;
      user = "deploy";
      authorizedKeys = sshKeys keys [ "admins" ];
    };
    tags = [ "home" ];
    ssh = {
      hostname = "192.168.2.241";
      user = "admin";
    };
  };

  homelab.services.remote-builder = {
    enable = true;
    authorizedKeys = sshKeys keys [ "buildClients" ];
    address = config.deploy.ssh.hostname;
  };
}
