# One `deploy.nodes.NAME`.
{ inputs, lib }:
configuration:
let
  inherit (configuration) config;
  inherit (configuration.pkgs.stdenv.hostPlatform) system;
  inherit (config.system.build) toplevel;
  cfg = config.deploy;
  manifest = config.homelab.manifest or { };

  agentName = "deploy-agent-${system}";
  packages = inputs.self.packages.${system} or { };

  # By the names that `deploy.image` takes.
  images.vm =
    let
      # nixosModules.vm makes what `deploy vm` reads.
      package = config.system.build.deployVm or config.system.build.vm;
    in
    {
      kind = "vm";
      inherit package;
      file = "bin/${package.meta.mainProgram}";
    };
in
{
  inherit (cfg)
    tags
    ssh
    sudo
    build
    push
    confirm
    timeouts
    units
    ;
  inherit system toplevel;
  image = if cfg.image == null then null else images.${cfg.image};
  # An empty name is unknown, as in images for clouds.
  hostName = if config.networking.hostName == "" then null else config.networking.hostName;
  rollback = {
    services = manifest.rollback.services or { };
    inherit (cfg.rollback) reboot;
  };
  checks = manifest.checks or [ ];
  beforeActivate = manifest.beforeActivate or [ ];
  secrets = manifest.secrets or [ ];
  agent = lib.optionalAttrs (packages ? ${agentName}) { ${system} = packages.${agentName}; };

  # deploy-rs's names.
  hostname = cfg.ssh.hostname;
  user = "root";
  profiles.system = {
    user = "root";
    path = toplevel;
  };
}
// lib.optionalAttrs (cfg.ssh.user != null) { sshUser = cfg.ssh.user; }
