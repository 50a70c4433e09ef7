# The tailnet.
{ lib, config, ... }:
let
  cfg = config.homelab.tailscale;
in
{
  options.homelab.tailscale = {
    enable = lib.mkEnableOption "Tailscale";

    port = lib.mkOption {
      type = lib.types.port;
      default = 41641;
      description = "The UDP port that peers use.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.tailscale = {
      enable = true;
      inherit (cfg) port;
      authKeyFile = config.homelab.secrets.files.tailscale-auth-key.path;
    };

    homelab.services.tailscale = {
      title = "Tailscale";
      description = "The tailnet";
      unit = "tailscaled.service";
      extraPorts.peers = {
        inherit (cfg) port;
        protocol = "udp";
        bind = "0.0.0.0";
        openFirewall = true;
      };
      # Being logged in needs the coordination server: it must not decide.
      health.online = {
        level = "late";
        grace = 120;
        kind.command.argv = [
          "/run/current-system/sw/bin/tailscale"
          "status"
          "--peers=false"
        ];
      };
      # The node key: without it the machine joins as a new one.
      backup.paths = [ "/var/lib/tailscale" ];
      secrets.tailscale-auth-key.hint = "an auth key of the tailnet";
    };
  };
}
