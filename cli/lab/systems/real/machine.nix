# What every real system in the lab has: sshd, root and two administrators, and what a
# container lacks for a boot: a kernel, an initrd and a boot loader.
{ lib, pkgs, ... }:
let
  keys = [ ./key ];
  switch = builtins.path { name = "switch-to-configuration"; path = ./systems/switch; };
  image = name: pkgs.runCommand name { } ''
    mkdir -p $out
    yes ${name} | head -c 65536 > $out/${name}
  '';
in
{
  boot.loader.external = {
    enable = true;
    installHook = pkgs.writeScript "install-boot-loader" ''
      #!/bin/sh
      export PATH=/usr/sbin:/usr/bin:/sbin:/bin
      exec sh ${switch}/loader/install "$1"
    '';
  };
  # Where tests stop a switch, as they stop one of a system made without nixpkgs.
  system.activationScripts.hold = "/bin/sh ${switch}/hold activate";

  # NixOS takes a lab host for a container, which has none of these.
  system.extraSystemBuilderCmds = ''
    ln -s ${image "kernel"}/kernel $out/kernel
    ln -s ${image "initrd"}/initrd $out/initrd
    printf 'loglevel=4' > $out/kernel-params
  '';

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
  system.stateVersion = "24.05";
  # The only locale that a minimal Debian has.
  i18n.defaultLocale = "C.UTF-8";

  services.openssh = {
    enable = lib.mkDefault true;
    # The host's own key of its first boot; and the daemon, as containers get a socket.
    hostKeys = [ { path = "/etc/ssh/ssh_host_ed25519_key"; type = "ed25519"; } ];
    startWhenNeeded = lib.mkOverride 900 false;
  };
  nix.settings = {
    experimental-features = [ "nix-command" "flakes" ];
    sandbox = false;
    substituters = lib.mkForce [ ];
    trusted-users = [ "root" ];
  };

  # `admin` needs no password for sudo, `askadmin` is asked for the one it has on every host.
  users.mutableUsers = false;
  users.users = {
    root.openssh.authorizedKeys.keyFiles = keys;
    admin = {
      isNormalUser = true;
      openssh.authorizedKeys.keyFiles = keys;
    };
    askadmin = {
      isNormalUser = true;
      hashedPassword = "@askadmin@";
      openssh.authorizedKeys.keyFiles = keys;
    };
  };
  security.sudo.extraRules = [
    { users = [ "admin" ]; commands = [ { command = "ALL"; options = [ "NOPASSWD" ]; } ]; }
    { users = [ "askadmin" ]; commands = [ "ALL" ]; }
  ];
}
