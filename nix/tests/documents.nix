# What follows from the flake in docs/ is what the flake says.
{
  inputs,
  lib,
  pkgs,
  ...
}:
let
  documents = import ../documents { inherit inputs pkgs; };
  outOfDate = file: "${file} is out of date: nix run .#docs";
in
# Types are worded by nixpkgs: the page is that of the locked release.
lib.optionalAttrs (lib.trivial.release == "26.05") {
  "docs/options.md is what the modules say" = {
    expr = if builtins.readFile ../../docs/options.md == documents.options then "current" else outOfDate "docs/options.md";
    expected = "current";
  };
}
// {
  "the README's picture has what is derived, all of it and nothing else" = {
    expr = lib.sort lib.lessThan (
      map lib.head (
        lib.filter (found: found != null) (
          map (builtins.match "  entry --> ([a-zA-Z]+) --> .*") (
            lib.splitString "\n" (builtins.readFile ../../README.md)
          )
        )
      )
    );
    expected = lib.attrNames inputs.self.nixosConfigurations.frame1.config.homelab.derived;
  };
  "every option has a description" = {
    expr = lib.hasInfix "\n\n\n\nType:" documents.options;
    expected = false;
  };
}
// lib.mapAttrs' (
  name: text:
  let
    page = documents.pageOf name;
  in
  lib.nameValuePair "the block ${name} of ${page} is what the flake says" {
    expr =
      if lib.hasInfix text (builtins.readFile (../.. + "/${page}")) then "current" else outOfDate page;
    expected = "current";
  }
) documents.blocks
