# The first machine. Its name is the folder's name; rename it.
{ inputs, ... }:
let
  keys = import ../keys.nix;
  domain = "local.example.org";
in
{
  imports = [ ./hardware.nix ];

  nixpkgs.hostPlatform = "x86_64-linux";
  system.stateVersion = "26.05";

  users.users.admin = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = inputs.deploy.lib.sshKeys keys [ "admins" ];
  };
  security.sudo.wheelNeedsPassword = false;

  deploy = {
    agent.enable = true;
    ssh = {
      hostname = "192.168.1.10";
      user = "admin";
    };
  };

  homelab = {
    # The proxy's own authority, to begin with. For certificates that browsers trust: mode = "acme",
    # an e-mail address, and the token as secrets/dns-api-token.age.
    tls = {
      mode = "internal";
      domains = [ domain ];
    };

    services = {
      ssh.enable = true;
      caddy.enable = true;
      homepage = {
        enable = true;
        sites = [ domain ];
      };

      restic = {
        enable = true;
        # Use another host or disk as soon as there is something to lose:
        # "sftp:backup@nas.example.org:/home".
        repository = "/var/backup/restic";
        sameDiskReason = "nothing is on it yet that is nowhere else";
      };

      # A service of your own. This one entry gives it a site, a tile, a log label, a backup,
      # alerts, and the checks that decide over a deploy.
      notes = {
        title = "Notes";
        unit = "notes.service";
        port = 8000;
        sites = [ "notes.${domain}" ];
        auth.kind = "native";
        health.page.kind.http.path = "/";
        backup = { };
      };
    };
  };

  systemd.services.notes = {
    description = "A stand-in for a service: lists its own folder";
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      DynamicUser = true;
      StateDirectory = "notes";
      WorkingDirectory = "%S/notes";
    };
    script = "exec ${inputs.nixpkgs.legacyPackages.x86_64-linux.python3}/bin/python3 -m http.server --bind 127.0.0.1 8000";
  };
}
