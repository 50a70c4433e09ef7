# The journal to Loki, each line with the label of its service.
{ lib, config, ... }:
let
  cfg = config.homelab.alloy;
  inherit (config.homelab) derived loki;
  journal = import ./journal.nix { inherit lib; };
in
{
  options.homelab.alloy = {
    enable = lib.mkEnableOption "Alloy, which sends the journal to Loki";

    port = lib.mkOption {
      type = lib.types.port;
      default = 12345;
      description = "Where it listens, on loopback.";
    };

    push = lib.mkOption {
      type = lib.types.str;
      default = "http://127.0.0.1:${toString loki.port}/loki/api/v1/push";
      defaultText = lib.literalExpression "this machine's Loki";
      description = "Where lines are sent.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.alloy = {
      enable = true;
      extraFlags = [
        "--disable-reporting"
        "--server.http.listen-addr=127.0.0.1:${toString cfg.port}"
      ];
    };

    environment.etc."alloy/config.alloy".text = journal {
      inherit (derived) logLabels;
      inherit (cfg) push;
      host = config.networking.hostName;
    };

    homelab.services.alloy = {
      title = "Alloy";
      description = "Sends the journal to Loki";
      unit = "alloy.service";
      startAfter = lib.optional loki.enable "loki";
      inherit (cfg) port;
      # A configuration that it refuses keeps the old one running: the unit looks
      # well, and only this tells.
      health.healthy = {
        grace = 60;
        kind.http.path = "/-/healthy";
      };
      metrics.default = { };
      noBackupReason = "only remembers how far it has read";
    };
  };
}
