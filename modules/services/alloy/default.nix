# Sends the journal to Loki, each line with the label of its service.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.homelab.services.alloy;
  inherit (config.homelab) derived fleet;
  inherit (config.homelab.services) loki;
  listen = import ../../listen.nix lib;
  endpoint = import ../../endpoint.nix lib;
  store = if fleet.logs == null then loki else (fleet.machines.${fleet.logs} or config).homelab.services.loki;
  configuration = import ./journal.nix { inherit lib; } {
    inherit (derived) logLabels;
    inherit (cfg) push;
    host = config.networking.hostName;
  };
in
{
  imports = [ ../loki.nix ];

  options = import ../../shipped.nix lib "alloy" {
    push = lib.mkOption {
      type = lib.types.str;
      default = "http://${endpoint store.bind store.port}/loki/api/v1/push";
      defaultText = lib.literalMD "the Loki of homelab.fleet.logs, or this machine's";
      description = "Where lines are sent.";
    };

    checkConfig = lib.mkOption {
      type = lib.types.bool;
      default = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;
      defaultText = lib.literalMD "whether the builder can run the machine's programs";
      description = "Whether Alloy itself reads its configuration when the system is built.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.alloy = import ../../defaults.nix lib {
        title = "Alloy";
        description = "Sends the journal to Loki";
        unit = "alloy.service";
        startAfter = lib.optional loki.enable "loki";
        port = 12345;
        health.healthy = {
          grace = 60;
          kind.http.path = "/-/healthy";
        };
        # If Alloy refuses a configuration, it keeps running with the old one and the unit looks
        # healthy. Only this check shows it.
        health.configuration = {
          grace = 60;
          kind.http = {
            path = "/metrics";
            contains = "\nalloy_config_last_load_successful 1\n";
          };
        };
        alerts.AlloyConfigurationRefused = {
          expr = "alloy_config_last_load_successful == 0";
          severity = "critical";
          summary = "Alloy runs with an old configuration, as it refused the one of this system";
        };
        metrics.default = { };
        access = {
          open = [ "read" ];
          note = "Its configuration is in the store; a program of the machine can make it read it again.";
        };
        noBackupReason = "only remembers how far it has read";
      };
    }

    (lib.mkIf cfg.enable {
      services.alloy = {
        enable = true;
        extraFlags = [
          "--disable-reporting"
          "--server.http.listen-addr=${listen cfg.bind cfg.port}"
        ];
      };

      environment.etc."alloy/config.alloy".text = configuration;

      # The program itself checks its configuration at the build. `validate` knows the components; a
      # release without it checks only the syntax.
      system.checks = lib.mkIf cfg.checkConfig [
        (pkgs.runCommand "alloy-configuration" { } ''
          alloy=${lib.getExe config.services.alloy.package}
          configuration=${pkgs.writeText "config.alloy" configuration}
          if "$alloy" validate --help > help 2>&1; then
            "$alloy" validate "$configuration"
          else
            "$alloy" fmt "$configuration"
          fi > "$out"
        '')
      ];
    })
  ];
}
