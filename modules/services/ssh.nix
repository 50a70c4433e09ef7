# The SSH server: keys only.
{ lib, config, ... }:
let
  cfg = config.homelab.services.ssh;
in
{
  options = import ../shipped.nix lib "ssh" {
    rootLogin = lib.mkOption {
      type = lib.types.bool;
      default = lib.elem config.deploy.ssh.user [
        null
        "root"
      ];
      defaultText = lib.literalMD "whether the machine may be deployed to as root";
      description = "Whether root may log in, by key.";
    };

    backupHostKeys = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = ''
        Whether the host keys are saved. They open every secret of the machine: whoever has
        the backup and its password has those too. Without them a machine that is made anew
        gets new keys; docs/services/ssh.md says what to do then.
      '';
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.ssh = import ../defaults.nix lib {
        title = "SSH";
        description = "The way in";
        unit = if config.services.openssh.startWhenNeeded then "sshd.socket" else "sshd.service";
        bind = "0.0.0.0";
        port = 22;
        openFirewall = true;
        auth.kind = "native";
        health.port.kind.tcp.address = "127.0.0.1";
        backup = lib.mkIf cfg.backupHostKeys {
          paths = map (key: key.path) config.services.openssh.hostKeys;
        };
        noBackupReason = lib.mkIf (!cfg.backupHostKeys) "its keys open every secret; a machine made anew gets new ones";
        access.open = [ ];
      };
    }

    (lib.mkIf cfg.enable {
      services.openssh = {
        enable = true;
        ports = [ cfg.port ];
        listenAddresses = lib.mkIf (cfg.bind != "0.0.0.0") [ { addr = cfg.bind; } ];
        # The contract opens the port.
        openFirewall = false;
        settings = {
          PasswordAuthentication = lib.mkDefault false;
          KbdInteractiveAuthentication = lib.mkDefault false;
          PermitRootLogin = lib.mkDefault (if cfg.rootLogin then "prohibit-password" else "no");
        };
      };
    })
  ];
}
