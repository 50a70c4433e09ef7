# Pages and tables that are generated from the flake, as text. `nix run .#docs` writes them into
# ./docs; nix/tests/documents.nix fails when they are out of date.
{ inputs, pkgs }:
let
  inherit (inputs.nixpkgs) lib;
  options = import ./options.nix { inherit inputs lib; };
  tables = import ./tables.nix { inherit inputs lib; };

  # The page that has a table.
  pageOf =
    name:
    {
      builder = "docs/deployment.md";
      client = "docs/deployment.md";
      vm-request = "docs/vm.md";
      vm-hosts = "docs/vm.md";
      access = "docs/access.md";
    }
    .${name} or "docs/OVERVIEW.md";
  block = name: "<!-- begin ${name} -->\n${tables.${name}}<!-- end ${name} -->\n";
  blocks = lib.mapAttrs (name: _: block name) tables;
in
{
  inherit options blocks pageOf;

  package = pkgs.writeShellApplication {
    name = "docs";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.gawk
    ];
    text = ''
      cd "''${1:-.}"
      test -f docs/OVERVIEW.md || { echo "docs: run it where flake.nix is" >&2; exit 1; }
      rm -rf docs/options
      mkdir docs/options
      ${lib.concatStrings (
        lib.mapAttrsToList (name: text: ''
          install -m 644 ${pkgs.writeText (baseNameOf name) text} docs/${name}
        '') options
      )}
      ${lib.concatStrings (
        lib.mapAttrsToList (name: text: ''
          awk -v begin='<!-- begin ${name} -->' -v end='<!-- end ${name} -->' -v file=${pkgs.writeText "${name}.md" text} '
            $0 == begin { while ((getline line < file) > 0) print line; skip = 1 }
            !skip
            $0 == end { skip = 0 }
          ' ${pageOf name} > ${pageOf name}.new
          mv ${pageOf name}.new ${pageOf name}
        '') blocks
      )}
    '';
  };
}
