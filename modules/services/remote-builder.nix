# What makes this machine somebody's remote builder: a user of its own, who may
# build and nothing else.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.remoteBuilder;
in
{
  options.homelab.remoteBuilder = {
    enable = lib.mkEnableOption "builds for other machines";

    user = mkOption {
      type = types.str;
      default = "builder";
      description = "Who logs in to build.";
    };

    authorizedKeys = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Public keys of those who may build. Each can put any path into the store: a builder is trusted.";
    };

    systems = mkOption {
      type = types.nonEmptyListOf types.str;
      default = [ pkgs.stdenv.hostPlatform.system ];
      defaultText = lib.literalExpression "[ the machine's own system ]";
      description = "What it builds for.";
    };

    maxJobs = mkOption {
      type = types.ints.positive;
      default = 4;
      description = "Builds at a time.";
    };

    features = mkOption {
      type = types.listOf types.str;
      default = [
        "nixos-test"
        "benchmark"
        "big-parallel"
        "kvm"
      ];
      description = "Features that it offers.";
    };

    address = mkOption {
      type = types.str;
      default = config.networking.hostName;
      defaultText = lib.literalExpression "config.networking.hostName";
      description = "How clients reach it.";
    };

    machinesLine = mkOption {
      type = types.str;
      readOnly = true;
      description = "The client's line of /etc/nix/machines.";
    };

    clientSettings = mkOption {
      type = types.lines;
      readOnly = true;
      description = "The client's lines of nix.conf.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.remoteBuilder.machinesLine = lib.concatStringsSep " " [
        "ssh-ng://${cfg.user}@${cfg.address}"
        (lib.concatStringsSep "," cfg.systems)
        "/etc/nix/builder_ed25519"
        (toString cfg.maxJobs)
        "1"
        (lib.concatStringsSep "," cfg.features)
        "-"
        "-"
      ];
      # What the builder can fetch itself need not go through the client.
      homelab.remoteBuilder.clientSettings = ''
        builders = @/etc/nix/machines
        builders-use-substitutes = true
      '';
    }

    (lib.mkIf cfg.enable {
      users.users.${cfg.user} = {
        isNormalUser = true;
        description = "Builds for other machines";
        # No forwarding, no terminal: Nix's protocol needs neither.
        openssh.authorizedKeys.keys = map (key: "restrict ${key}") cfg.authorizedKeys;
      };

      nix.settings = {
        trusted-users = [ cfg.user ];
        max-jobs = cfg.maxJobs;
        system-features = cfg.features;
      };

      assertions = [
        {
          assertion = cfg.authorizedKeys != [ ];
          message = "nobody can log in to build here: add a key to homelab.remoteBuilder.authorizedKeys, or set homelab.remoteBuilder.enable = false";
        }
      ];
    })
  ];
}
