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
  };
  users.users.root.openssh.authorizedKeys.keys = lib.attrValues (import "${inputs.deploy}/machines/keys.nix").admins;
}
