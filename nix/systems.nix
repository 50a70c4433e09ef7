# The systems that outputs exist for. x86_64-darwin is left out: nixpkgs drops it.
nixpkgs: f:
nixpkgs.lib.genAttrs [
  "x86_64-linux"
  "aarch64-linux"
  "aarch64-darwin"
] (system: f nixpkgs.legacyPackages.${system})
