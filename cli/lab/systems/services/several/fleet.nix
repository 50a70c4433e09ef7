# An address for each in the lab's network, and a firewall: a lab host has no tailnet. frame1 is
# deployed to as root, frame2 as a user.
{ config, ... }:
let
  addresses = {
    frame1 = "10.77.0.11";
    frame2 = "10.77.0.12";
  };
in
{
  deploy.ssh = {
    hostname = config.networking.hostName;
    user = if config.networking.hostName == "frame1" then "root" else "admin";
  };
  homelab = {
    fleet = {
      address = addresses.${config.networking.hostName};
      interface = "eth0";
    };
    services.ssh.enable = true;
  };

  # A lab host has nftables, and the ruleset is checked where it is loaded.
  networking.firewall.enable = true;
  networking.nftables = {
    enable = true;
    checkRuleset = false;
  };
}
