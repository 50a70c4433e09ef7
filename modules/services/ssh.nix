# The way in: keys only.
{ lib, config, ... }:
let
  cfg = config.homelab.ssh;
in
{
  options.homelab.ssh = {
    enable = lib.mkEnableOption "SSH with keys only";

    port = lib.mkOption {
      type = lib.types.port;
      default = 22;
      description = "Where it listens, on every address.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.openssh = {
      enable = true;
      ports = [ cfg.port ];
      # The contract opens it.
      openFirewall = false;
      settings = {
        PasswordAuthentication = lib.mkDefault false;
        KbdInteractiveAuthentication = lib.mkDefault false;
        PermitRootLogin = lib.mkDefault "prohibit-password";
      };
    };

    homelab.services.ssh = {
      title = "SSH";
      description = "The way in";
      unit = if config.services.openssh.startWhenNeeded then "sshd.socket" else "sshd.service";
      bind = "0.0.0.0";
      inherit (cfg) port;
      openFirewall = true;
      auth.kind = "native";
      health.port.kind.tcp.address = "127.0.0.1";
      # Secrets are encrypted for these keys: a machine without them starts anew.
      backup.paths = map (key: key.path) config.services.openssh.hostKeys;
    };
  };
}
