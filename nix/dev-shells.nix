# The tools to work on the programs, the modules and the secrets.
{ inputs, pkgs }:
{
  default = pkgs.mkShell {
    packages = [
      pkgs.cargo
      pkgs.clippy
      pkgs.rustc
      pkgs.rustfmt
      pkgs.nixfmt-tree
      pkgs.jq
      inputs.agenix.packages.${pkgs.stdenv.hostPlatform.system}.default
    ];
  };
}
