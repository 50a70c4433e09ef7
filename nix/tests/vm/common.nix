# A node with this flake's modules and with secrets that need no key.
{ inputs }:
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
    services.ssh.enable = true;
  };
}
