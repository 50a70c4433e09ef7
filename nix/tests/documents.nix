# The pages that follow from the flake are what is in docs/.
{
  inputs,
  lib,
  pkgs,
  ...
}:
let
  documents = import ../documents { inherit inputs pkgs; };
  outOfDate = file: "${file} is out of date: nix run .#docs";
  overview = builtins.readFile ../../docs/OVERVIEW.md;
in
# Types are worded by nixpkgs: the page is that of the locked release.
lib.optionalAttrs (lib.trivial.release == "26.05") {
  "docs/options.md is what the modules say" = {
    expr = if builtins.readFile ../../docs/options.md == documents.options then "current" else outOfDate "docs/options.md";
    expected = "current";
  };
}
// {
  "every option has a description" = {
    expr = lib.hasInfix "\n\n\n\nType:" documents.options;
    expected = false;
  };
}
// lib.mapAttrs' (
  name: text:
  lib.nameValuePair "the table of ${name} in docs/OVERVIEW.md is what the flake says" {
    expr = if lib.hasInfix text overview then "current" else outOfDate "docs/OVERVIEW.md";
    expected = "current";
  }
) documents.blocks
