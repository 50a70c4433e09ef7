# Tests on NixOS machines. They need KVM and a binary cache; each `node` can be evaluated anywhere.
{ inputs, pkgs }:
let
  run = file: pkgs.testers.runNixOSTest (import file { inherit inputs pkgs; });
in
{
  vm-stack = run ./stack.nix;
  vm-failing-gate = run ./failing-gate.nix;
  vm-restore = run ./restore.nix;
}
