# Alert rules are evaluated over the metrics, and what fires goes to one receiver.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.alerting;
in
{
  imports = [
    ./vmalert.nix
    ./alertmanager.nix
  ];

  options.homelab.alerting = {
    enable = lib.mkEnableOption "alerts";

    vmalertPort = mkOption {
      type = types.port;
      default = 8880;
      description = "Where vmalert listens, on loopback.";
    };

    alertmanagerPort = mkOption {
      type = types.port;
      default = 9093;
      description = "Where Alertmanager listens, on loopback.";
    };

    repeat = mkOption {
      type = types.strMatching "[0-9]+(m|h|d)";
      default = "12h";
      description = "After how long an alert that still fires is sent again.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = config.homelab.victoriametrics.enable;
        message = "alerts are evaluated over the metrics of this machine: set homelab.victoriametrics.enable, or homelab.alerting.enable = false";
      }
    ];
  };
}
