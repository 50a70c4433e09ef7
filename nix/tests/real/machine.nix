# frame1's services on a lab host: no kernel, no disk, no certificate authority, and
# secrets that are none. For NixOS's own modules (see newer-options.nix).
{
  lib,
  pkgs,
  inputs,
  ...
}:
{
  imports = [
    "${inputs.deploy}/machines/frame1/services.nix"
    ./services.nix
  ];

  networking.hostName = "frame1";

  nixpkgs.hostPlatform = "x86_64-linux";
  system.stateVersion = "24.05";
  i18n.defaultLocale = "C.UTF-8";

  homelab = {
    tls.mode = "internal";
    secrets.provider = "plain";
    secrets.directory = "${inputs.deploy}/secrets";
    services.tailscale.enable = lib.mkForce false;

    services.notes = {
      auth.kind = "native";
      sites."notes.local.kaifer.dev".routes = {
        "/measured/*" = {
          service = "victoriametrics";
          stripPrefix = true;
        };
        "/hooks/*".audience = "public";
        "/admin/*".deny = 404;
      };
      startAfter = [ "victoriametrics" ];
      limits = {
        memory = "256M";
        cpu = 50;
        tasks = 64;
      };
      backup.sqlite = [ "/var/lib/private/notes/notes.db" ];
    };
    # Its backup holds no file.
    services.hollow = {
      noHealthCheckReason = "has no program";
      backup.paths = [ "/var/lib/hollow" ];
    };
  };
  deploy.agent = {
    enable = true;
    user = "deploy";
    authorizedKeys = lib.attrValues (import "${inputs.deploy}/machines/keys.nix").admins;
  };

  # Containers get a socket.
  services.openssh.startWhenNeeded = false;

  # Debian has no Loki, which NixOS asks to verify its file while it builds.
  services.loki.package = pkgs.writeShellScriptBin "loki" ''
    echo "a stub in place of Loki: the configuration was not verified by it"
  '';

  # The stub package has one of its programs only.
  services.vmalert.package = pkgs.writeShellScriptBin "vmalert" ''
    exec /usr/bin/vmalert "$@"
  '';

  users.users.root.openssh.authorizedKeys.keys = lib.attrValues (import "${inputs.deploy}/machines/keys.nix").admins;
}
