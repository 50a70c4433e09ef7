# The origin of a definition, by its file.
{ inputs, lib }:
let
  ours = "${inputs.self}/modules";
in
file:
if lib.hasPrefix "${inputs.nixpkgs}/" file then
  "nixos"
else if lib.hasPrefix ours file then
  "ours"
else
  "others"
