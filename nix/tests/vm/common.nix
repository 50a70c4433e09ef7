# A node with this flake's modules, and secrets that need no key.
{ inputs }:
{ lib, ... }:
{
  imports = [ inputs.self.nixosModules.default ];

  virtualisation = {
    memorySize = 3072;
    cores = 2;
    diskSize = 4096;
  };

  homelab = {
    tls.mode = "internal";
    secrets.provider = "plain";
    secrets.directory = ./.;
    ssh.enable = true;
    services.ssh = {
      backup = lib.mkForce null;
      noBackupReason = "a test's host keys";
    };
  };
}
