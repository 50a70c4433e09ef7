# The checks of one system. Only on a Linux system do they build anything for Linux, so that `nix
# flake check` on a Mac needs no Linux builder.
{ inputs, pkgs }:
let
  inherit (pkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) isLinux;
in
import ../tests { inherit inputs pkgs; }
// {
  deploy = inputs.self.packages.${pkgs.stdenv.hostPlatform.system}.deploy;
}
// lib.optionalAttrs isLinux (import ../tests/vm { inherit inputs pkgs; })
