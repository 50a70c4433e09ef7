# The packages of one system. `deploy-agent-SYSTEM` is static, because it has to run on machines
# that share nothing with the system it was built on.
{ inputs, pkgs }:
let
  inherit (pkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) isLinux system;

  agentFor =
    target:
    let
      native = inputs.nixpkgs.legacyPackages.${target};
    in
    native.pkgsStatic.callPackage ./agent.nix { };
  agents = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] agentFor;

  deploy = pkgs.callPackage ./deploy.nix {
    # Only the agent of the package's own system. For another one, installing `deploy` would need a
    # builder of that system.
    agents = lib.optionalAttrs isLinux { ${system} = agents.${system}; };
  };
  documents = import ../documents { inherit inputs pkgs; };

  build = name: inputs.self.nixosConfigurations.${name}.config.system.build;
  # Images to start or to install from here. What starts frame1-vm is for a Mac and its guest is
  # Linux, so it needs a Linux builder.
  images = {
    x86_64-linux = {
      installer-iso = (build "installer-iso").isoImage;
      frame1-vm-x86 = (build "frame1-vm-x86").deployVm;
    };
    aarch64-darwin.frame1-vm = (build "frame1-vm").deployVm;
  };
in
{
  inherit deploy;
  default = deploy;
  docs = documents.package;
}
// lib.mapAttrs' (target: lib.nameValuePair "deploy-agent-${target}") (
  lib.filterAttrs (target: _: target == system) agents
)
// images.${system} or { }
