# `deploy` and `deploy-agent` for another package set than this flake's.
final: _: {
  deploy = final.callPackage ./packages/deploy.nix { };
  deploy-agent = final.callPackage ./packages/agent.nix { };
}
