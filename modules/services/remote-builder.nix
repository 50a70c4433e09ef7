# Makes this machine a remote builder. A user of its own has keys that speak Nix's protocol and
# nothing else. Nix trusts that user, so the user is root in the end.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.services.remote-builder;
in
{
  options = import ../shipped.nix lib "remote-builder" {
    user = mkOption {
      type = types.str;
      default = "builder";
      description = "Who logs in to build.";
    };

    authorizedKeys = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Public keys of those who may build. Whoever has one is root on this machine in the end: Nix takes any path and any setting from them.";
    };

    systems = mkOption {
      type = types.nonEmptyListOf types.str;
      default = [ pkgs.stdenv.hostPlatform.system ];
      defaultText = lib.literalMD "the machine's own system";
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
      default = lib.concatStringsSep " " [
        "ssh-ng://${cfg.user}@${cfg.address}"
        (lib.concatStringsSep "," cfg.systems)
        "/etc/nix/builder_ed25519"
        (toString cfg.maxJobs)
        "1"
        (lib.concatStringsSep "," cfg.features)
        "-"
        "-"
      ];
      defaultText = lib.literalMD "out of the other options";
      description = "The client's line of /etc/nix/machines.";
    };

    clientSettings = mkOption {
      type = types.lines;
      readOnly = true;
      # What the builder can fetch itself need not go through the client.
      default = ''
        builders = @/etc/nix/machines
        builders-use-substitutes = true
      '';
      description = "The client's lines of nix.conf.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.remote-builder = import ../defaults.nix lib {
        title = "Remote builder";
        description = "Builds for other machines";
        auth.kind = "native";
        noHealthCheckReason = "is the Nix daemon behind SSH, which has a check of its own";
        noBackupReason = "has no state";
        access = {
          open = [ ];
          note = "Whoever has one of its keys is root in the end: Nix takes any path and any setting from them.";
        };
      };
    }

    (lib.mkIf cfg.enable {
      users.users.${cfg.user} = {
        isNormalUser = true;
        description = "Builds for other machines";
        # No forwarding, no terminal, and no command except Nix's protocol. Proof: the scenario
        # `real-services-come-with-a-deploy-and-pass-their-own-checks`.
        openssh.authorizedKeys.keys = map (
          key: ''restrict,command="/run/current-system/sw/bin/nix-daemon --stdio" ${key}''
        ) cfg.authorizedKeys;
      };

      nix.settings = {
        trusted-users = [ cfg.user ];
        max-jobs = cfg.maxJobs;
        system-features = cfg.features;
      };

      assertions = [
        {
          assertion = cfg.authorizedKeys != [ ];
          message = "nobody can log in to build here: add a key to homelab.services.remote-builder.authorizedKeys, or set homelab.services.remote-builder.enable = false";
        }
      ];
    })
  ];
}
