{
  # frame1 of the lab, with what an installation reads of a configuration besides.
  outputs =
    { self }:
    let
      lab = (import ./lab.nix).outputs { inherit self; };
      frame1 = lab.nixosConfigurations.frame1;
      inherit (frame1) config;
      hostKey = "/etc/ssh/ssh_host_ed25519_key";
      # Mounts the host's own root, which is what the host starts from.
      script = derivation {
        name = "disko";
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [
          "-c"
          ''
            echo '#!/bin/sh' > $out
            echo 'set -eu; echo ran >> /var/lib/disko-ran; mkdir -p /mnt' >> $out
            echo 'mountpoint -q /mnt || mount --rbind / /mnt' >> $out
            /usr/lib/lab/bin/chmod 755 $out
          ''
        ];
      };
    in
    lab
    // {
      nixosConfigurations.frame1 = frame1 // {
        config = config // {
          disko.devices.disk.main.device = "/dev/disk/by-id/ata-LAB";
          services.openssh = {
            enable = true;
            hostKeys = [
              {
                type = "ed25519";
                path = hostKey;
              }
            ];
          };
          age = {
            identityPaths = [ hostKey ];
            secrets.token = {
              name = "token";
              file = ./secrets/token.age;
              path = "/run/agenix/token";
              mode = "0400";
              owner = "root";
              group = "root";
            };
          };
          boot = config.boot // {
            loader = config.boot.loader // {
              grub = {
                enable = true;
                efiSupport = true;
                devices = [ "/dev/sda" ];
              };
            };
          };
          system = config.system // {
            build = config.system.build // {
              diskoScript = script;
            };
          };
        };
      };
      # Nothing decrypts them on a host whose systems have no agenix.
      deploy.nodes.frame1 = lab.deploy.nodes.frame1 // {
        secrets = [ ];
      };
    };
}
