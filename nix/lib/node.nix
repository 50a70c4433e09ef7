# One `deploy.nodes.NAME`.
{ inputs, lib }:
{
  name,
  configuration,
  self,
}:
let
  inherit (configuration) config;
  cfg = config.deploy;
  inherit (configuration.pkgs.stdenv.hostPlatform) system;
  inherit (config.system.build) toplevel;
  manifest = config.homelab.manifest or { };

  # Store paths as plain text: the document is read before anything is built.
  text = builtins.unsafeDiscardStringContext;

  agentName = "deploy-agent-${system}";
  packages = inputs.self.packages.${system} or { };
in
{
  inherit (cfg)
    tags
    ssh
    sudo
    build
    push
    timeouts
    units
    ;
  inherit system;
  hostName = config.networking.hostName;
  toplevel = {
    drv = text toplevel.drvPath;
    out = text toplevel.outPath;
  };
  confirm = cfg.confirm // {
    required = true;
  };
  rollback = {
    services = manifest.rollback.services or { };
    inherit (cfg.rollback) reboot;
  };
  checks = manifest.checks or [ ];
  beforeActivate = manifest.beforeActivate or [ ];
  secrets = manifest.secrets or [ ];
  agent = lib.optionalAttrs (packages ? ${agentName}) {
    ${system} = text packages.${agentName}.outPath;
  };
  revision = {
    rev = self.rev or (if self ? dirtyRev then lib.removeSuffix "-dirty" self.dirtyRev else null);
    dirty = !(self ? rev);
    lastModified = self.lastModified or 0;
  };

  # deploy-rs's names.
  hostname = cfg.ssh.hostname;
  user = "root";
  profiles.system = {
    user = "root";
    path = toplevel;
  };
}
// lib.optionalAttrs (cfg.ssh.user != null) { sshUser = cfg.ssh.user; }
