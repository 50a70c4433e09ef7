# `deploy` and `deploy-agent` for a package set that is not this flake's.
final: _: {
  deploy = final.callPackage ./packages/deploy.nix { };
  deploy-agent = final.callPackage ./packages/agent.nix { };
}
