# The machine with the logs. It uses NixOS's other firewall.
{
  imports = [ (import ../common.nix "100.64.0.2") ];
  networking.nftables.enable = true;
  homelab.services.loki = {
    enable = true;
    sites = [ "logs.example.org" ];
  };
}
