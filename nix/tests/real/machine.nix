# frame1's services on a lab host: no kernel, no disk, no certificate authority, and
# secrets that are none. For NixOS's own modules (see newer-options.nix).
{ lib, inputs, ... }:
{
  imports = [ "${inputs.deploy}/machines/frame1/services.nix" ];

  networking.hostName = "frame1";

  nixpkgs.hostPlatform = "x86_64-linux";
  system.stateVersion = "24.05";
  i18n.defaultLocale = "C.UTF-8";

  homelab = {
    tls.mode = "internal";
    secrets.provider = "plain";
    secrets.directory = "${inputs.deploy}/secrets";
    tailscale.enable = lib.mkForce false;

    # Its state is a DynamicUser's.
    services.notes = {
      title = "Notes";
      unit = "notes.service";
      port = 8000;
      sites = [ "notes.local.kaifer.dev" ];
      health.page.kind.http.path = "/";
      backup.sentinel = "/var/lib/private/notes/notes.txt";
    };
    # Its backup holds no file.
    services.hollow = {
      unhealthReason = "has no program";
      backup.paths = [ "/var/lib/hollow" ];
    };
  };
  systemd.services.notes = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      DynamicUser = true;
      StateDirectory = "notes";
    };
    script = "exec /usr/bin/python3 -m http.server --bind 127.0.0.1 8000 --directory \"$STATE_DIRECTORY\"";
  };
  users.users.root.openssh.authorizedKeys.keys = lib.attrValues (import "${inputs.deploy}/machines/keys.nix").admins;
}
