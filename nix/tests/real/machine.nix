# frame1's services on a lab host: no kernel, no disk, no certificate authority, and placeholder
# secrets. For NixOS's own modules (see newer-options.nix).
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
    # A service whose backup has no file.
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

  # In a container, NixOS would start sshd by a socket.
  services.openssh.startWhenNeeded = false;

  # Debian has no Loki, and NixOS runs it at the build to verify its file.
  services.loki.package = pkgs.writeShellScriptBin "loki" ''
    echo "a stub in place of Loki: the configuration was not verified by it"
  '';

  # The stub package has only one of its programs.
  services.vmalert.package = pkgs.writeShellScriptBin "vmalert" ''
    exec /usr/bin/vmalert "$@"
  '';

  users.users.root.openssh.authorizedKeys.keys = lib.attrValues (import "${inputs.deploy}/machines/keys.nix").admins;
}
