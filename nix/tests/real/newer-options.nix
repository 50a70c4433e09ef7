# Options that NixOS got after the module tree of August 2024, each with the effect of today's
# module, so that this flake's modules evaluate with that tree too. The corresponding nixpkgs file
# is above each option.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (config) services;
  yaml = pkgs.formats.yaml { };
in
{
  disabledModules = [
    "services/databases/victoriametrics.nix"
    "services/monitoring/vmalert.nix"
  ];

  options.services = {
    # nixos/modules/services/web-servers/caddy/default.nix
    caddy.environmentFile = mkOption {
      type = types.nullOr types.path;
      default = null;
    };

    # nixos/modules/services/monitoring/gatus.nix: off on these machines, because Debian has none.
    gatus = {
      enable = lib.mkEnableOption "";
      settings = mkOption {
        inherit (yaml) type;
        default = { };
      };
      environmentFile = mkOption {
        type = types.nullOr types.path;
        default = null;
      };
    };

    # nixos/modules/services/misc/homepage-dashboard.nix
    homepage-dashboard.allowedHosts = mkOption {
      type = types.str;
      default = "localhost:8082,127.0.0.1:8082";
    };

    # nixos/modules/services/monitoring/grafana.nix
    grafana.provision.datasources.settings = mkOption {
      type = types.nullOr (
        types.submodule {
          options.prune = mkOption {
            type = types.bool;
            default = false;
          };
        }
      );
    };

    # nixos/modules/services/databases/victoriametrics.nix
    victoriametrics = {
      enable = lib.mkEnableOption "";
      package = lib.mkPackageOption pkgs "victoriametrics" { };
      listenAddress = mkOption {
        type = types.str;
        default = ":8428";
      };
      retentionPeriod = mkOption {
        type = types.nullOr types.str;
        default = null;
      };
      prometheusConfig = mkOption {
        inherit (yaml) type;
        default = { };
      };
      extraOptions = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
    };

    # nixos/modules/services/monitoring/vmalert.nix
    vmalert.package = lib.mkPackageOption pkgs "victoriametrics" { };
    vmalert.instances = mkOption {
      default = { };
      type = types.attrsOf (
        types.submodule {
          options = {
            enable = lib.mkEnableOption "";
            settings = mkOption { type = types.attrsOf types.anything; };
            rules = mkOption { inherit (yaml) type; };
          };
        }
      );
    };
  };

  config = {
    systemd.services = lib.mkMerge [
      (lib.mkIf services.caddy.enable {
        caddy.serviceConfig.EnvironmentFile = lib.mkIf (
          services.caddy.environmentFile != null
        ) services.caddy.environmentFile;
      })

      (lib.mkIf services.homepage-dashboard.enable {
        homepage-dashboard.environment.HOMEPAGE_ALLOWED_HOSTS = services.homepage-dashboard.allowedHosts;
      })

      (lib.mkIf services.victoriametrics.enable {
        victoriametrics = {
          wantedBy = [ "multi-user.target" ];
          after = [ "network.target" ];
          serviceConfig = {
            DynamicUser = true;
            StateDirectory = "victoriametrics";
            RuntimeDirectory = "victoriametrics";
            Restart = "on-failure";
            RestartSec = 1;
            ExecStart = lib.escapeShellArgs (
              [
                "${services.victoriametrics.package}/bin/victoria-metrics"
                "-storageDataPath=/var/lib/victoriametrics"
                "-httpListenAddr=${services.victoriametrics.listenAddress}"
              ]
              ++ lib.optional (
                services.victoriametrics.retentionPeriod != null
              ) "-retentionPeriod=${services.victoriametrics.retentionPeriod}"
              ++ services.victoriametrics.extraOptions
              ++ [
                "-promscrape.config=${yaml.generate "prometheusConfig.yaml" services.victoriametrics.prometheusConfig}"
              ]
            );
          };
        };
      })

      (lib.mapAttrs' (
        name: instance:
        lib.nameValuePair "vmalert-${name}" {
          wantedBy = [ "multi-user.target" ];
          serviceConfig = {
            DynamicUser = true;
            Restart = "on-failure";
            ExecStart = lib.escapeShellArgs (
              [ "${services.vmalert.package}/bin/vmalert" ]
              ++ lib.concatLists (
                lib.mapAttrsToList (
                  flag: value: map (word: "-${flag}=${toString word}") (lib.toList value)
                ) (instance.settings // { rule = "/etc/vmalert-${name}/rules.yml"; })
              )
            );
          };
        }
      ) services.vmalert.instances)
    ];

    environment.etc = lib.mapAttrs' (
      name: instance:
      lib.nameValuePair "vmalert-${name}/rules.yml" {
        source = yaml.generate "rules.yml" instance.rules;
      }
    ) services.vmalert.instances;
  };
}
