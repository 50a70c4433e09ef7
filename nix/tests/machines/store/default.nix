# Where the logs are, with the other one of NixOS's firewalls.
{
  imports = [ (import ../common.nix "100.64.0.2") ];
  networking.nftables.enable = true;
  homelab.services.loki = {
    enable = true;
    sites = [ "logs.example.org" ];
  };
}
