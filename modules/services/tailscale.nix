# The tailnet.
{ lib, config, ... }:
let
  cfg = config.homelab.services.tailscale;
in
{
  options = import ../shipped.nix lib "tailscale" { };

  config = lib.mkMerge [
    {
      homelab.services.tailscale = import ../defaults.nix lib {
        title = "Tailscale";
        description = "The tailnet";
        unit = "tailscaled.service";
        access = {
          open = [ ];
          note = "Its socket takes commands from root alone.";
        };
        extraPorts.peers = {
          port = 41641;
          protocol = "udp";
          bind = "0.0.0.0";
          openFirewall = true;
        };
        # Logging in needs the coordination server, so it must not decide.
        backgroundUnits = [
          "tailscaled-autoconnect.service"
          "tailscaled-set.service"
        ];
        health.online = {
          level = "advisory";
          grace = 120;
          kind.command.argv = [
            "/run/current-system/sw/bin/tailscale"
            "status"
            "--peers=false"
          ];
        };
        # The node key. Without it the machine joins as a new one.
        backup.paths = [ "/var/lib/tailscale" ];
        secrets.tailscale-auth-key.hint = "an auth key of the tailnet";
      };
    }

    (lib.mkIf cfg.enable {
      services.tailscale = {
        enable = true;
        inherit (cfg.extraPorts.peers) port;
        authKeyFile = config.homelab.secrets.files.tailscale-auth-key.path;
      };
    })
  ];
}
