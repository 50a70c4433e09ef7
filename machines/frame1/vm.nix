# frame1 as a virtual machine: everything that differs from the machine at home.
# nix/tests/vm-difference.nix compares the two.
{
  lib,
  pkgs,
  inputs,
  machineName,
  ...
}:
{
  imports = [ inputs.self.nixosModules.vm ];

  virtualisation = {
    memorySize = 4096;
    cores = 4;
    diskSize = 20 * 1024;
    # The ports of NixOS's own start script; `deploy vm` has the same.
    forwardPorts =
      lib.mapAttrsToList
        (host: guest: {
          from = "host";
          host = {
            address = "127.0.0.1";
            port = lib.toInt host;
          };
          guest.port = guest;
        })
        {
          "8443" = 443;
          "8080" = 80;
          "2222" = 22;
        };
    # The computer that starts it. Only what starts it is built for that system.
    host.pkgs = lib.mkIf pkgs.stdenv.hostPlatform.isAarch64 inputs.nixpkgs.legacyPackages.aarch64-darwin;
  };

  # The name server that QEMU offers does not answer on macOS.
  networking.nameservers = [ "1.1.1.1" ];

  # Its disk is not frame1's.
  disko.enableConfig = lib.mkForce false;

  # Passwords exist only here.
  users.users.root.password = "nixos";
  users.users.admin.password = "nixos";
  services.openssh.settings = {
    PasswordAuthentication = true;
    PermitRootLogin = "yes";
  };

  homelab = {
    # No token, no tailnet.
    tls.mode = "internal";
    services.tailscale.enable = lib.mkForce false;
    proxy.publicPort = 8443;
  };

  deploy.tags = lib.mkForce [ "manual" ];

  networking.hostName = lib.mkForce machineName;
}
