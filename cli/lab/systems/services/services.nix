# Services of frame1 whose programs Debian has, and two small ones behind the proxy.
{ inputs, ... }:
{
  imports = [
    ./host.nix
    "${inputs.deploy}/nix/tests/real/services.nix"
  ];

  networking.hostName = "frame1";

  deploy = {
    agent.enable = true;
    ssh = {
      hostname = "frame1";
      user = "root";
    };
  };

  homelab.services = {
    caddy.enable = true;
    victoriametrics = {
      enable = true;
      sites = [ "metrics.local.kaifer.dev" ];
    };
    node-exporter.enable = true;
    ssh.enable = true;
    restic = {
      enable = true;
      repository = "/var/backup/restic";
      sameDiskReason = "a lab host has one disk";
    };
  };
}
