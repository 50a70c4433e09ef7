# frame1 as a virtual machine: everything that differs from the machine at home.
# nix/tests/vm-difference.nix compares the two.
{
  lib,
  pkgs,
  modulesPath,
  inputs,
  machineName,
  ...
}:
{
  imports = [ "${modulesPath}/virtualisation/qemu-vm.nix" ];

  virtualisation = {
    memorySize = 4096;
    cores = 4;
    diskSize = 20 * 1024;
    graphics = false;
    # A Mac's store is on a volume that ignores case; sharing it would break the guest's store.
    useNixStoreImage = true;
    writableStore = true;
    # Otherwise deployed paths are gone at the next start. The start script boots the system that it
    # was built with, so a deployed system runs only until the machine restarts.
    writableStoreUseTmpfs = false;
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
    # The computer that starts it. Only the start script is built for that system.
    host.pkgs = lib.mkIf pkgs.stdenv.hostPlatform.isAarch64 inputs.nixpkgs.legacyPackages.aarch64-darwin;
  };

  # The name server that QEMU offers does not answer on macOS.
  networking.nameservers = [ "1.1.1.1" ];

  # The virtual machine has no disk of its own to boot from.
  disko.enableConfig = lib.mkForce false;
  boot.loader.grub.enable = lib.mkForce false;
  system.build.installBootLoader = lib.mkForce "${pkgs.writeShellScript "no-boot-loader" "exit 0"}";

  # Passwords exist only here.
  users.users.root.password = "nixos";
  users.users.admin.password = "nixos";
  services.openssh.settings = {
    PasswordAuthentication = true;
    PermitRootLogin = "yes";
  };

  homelab = {
    # No token, no host key, no tailnet.
    tls.mode = "internal";
    secrets.provider = "plain";
    services.tailscale.enable = lib.mkForce false;
    proxy.publicPort = 8443;
  };

  deploy = {
    tags = lib.mkForce [ "manual" ];
    image = "vm";
    ssh = {
      hostname = lib.mkForce "127.0.0.1";
      port = 2222;
    };
  };

  networking.hostName = lib.mkForce machineName;
}
