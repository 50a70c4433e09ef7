# The generated parts of docs/ match the flake.
{
  inputs,
  lib,
  pkgs,
  ...
}:
let
  documents = import ../documents { inherit inputs pkgs; };
  read =
    name:
    let
      file = ../../docs + "/${name}";
    in
    if builtins.pathExists file then builtins.readFile file else "";
  # The paths in the overview's tree, and the folders that must be in it.
  tree = map (line: lib.head (lib.splitString " " (lib.trim line))) (
    lib.filter (lib.hasPrefix "    ") (
      lib.splitString "\n" (
        lib.head (
          lib.splitString "\n## " (
            lib.last (lib.splitString "## Where things are\n" (builtins.readFile ../../docs/OVERVIEW.md))
          )
        )
      )
    )
  );
  foldersIn =
    folder:
    lib.attrNames (lib.filterAttrs (_: kind: kind == "directory") (builtins.readDir (../.. + "/${folder}")));
  folders =
    lib.filter (name: !lib.hasPrefix "." name && !lib.elem name [ "modules" "nix" "cli" ]) (foldersIn "")
    ++ lib.concatMap (folder: map (name: "${folder}/${name}") (foldersIn folder)) [
      "modules"
      "nix"
      "cli"
    ];
  picture = lib.head (
    lib.splitString "```" (
      lib.last (lib.splitString "```mermaid\n" (builtins.readFile ../../docs/OVERVIEW.md))
    )
  );
  outOfDate = file: "${file} is out of date: nix run .#docs";
in
# nixpkgs words the types, so the page matches the locked release only.
lib.optionalAttrs (lib.trivial.release == "26.05") {
  "the pages of options are all there are" = {
    expr = lib.attrNames (builtins.readDir ../../docs/options);
    expected = map baseNameOf (lib.filter (lib.hasPrefix "options/") (lib.attrNames documents.options));
  };
}
// lib.optionalAttrs (lib.trivial.release == "26.05") (
  lib.mapAttrs' (
    name: text:
    lib.nameValuePair "docs/${name} is what the modules say" {
      expr = if read name == text then "current" else outOfDate "docs/${name}";
      expected = "current";
    }
  ) documents.options
)
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
  # Two ports of the contract have no arrow in the picture, because nothing connects to them.
  "the overview's picture has every port of frame1's services, and no other" = {
    expr = lib.sort lib.lessThan (
      lib.unique (
        lib.concatLists (
          lib.filter lib.isList (builtins.split "([0-9]{2,5})" picture)
        )
      )
    );
    expected = lib.sort lib.lessThan (
      lib.unique (
        map toString (
          lib.concatMap (
            service:
            lib.optional (service.port != null) service.port
            ++ map (port: port.port) (lib.attrValues service.extraPorts)
          ) (lib.attrValues inputs.self.nixosConfigurations.frame1.config.homelab.enabledServices)
        )
      )
    );
  };
  "the overview's picture has every service of frame1" = {
    expr = lib.filter (title: !lib.hasInfix (lib.toLower title) (lib.toLower picture)) (
      lib.mapAttrsToList (
        _: service: service.title
      ) inputs.self.nixosConfigurations.frame1.config.homelab.enabledServices
    );
    expected = [ ];
  };
  "the overview's tree has every folder, and nothing that there is not" = {
    expr = {
      missing = lib.filter (folder: !lib.any (path: path == folder || path == "${folder}/") tree) folders;
      gone = lib.filter (path: !builtins.pathExists (../.. + "/${path}")) tree;
    };
    expected = {
      missing = [ ];
      gone = [ ];
    };
  };
  "every option has a description" = {
    expr = lib.filterAttrs (_: lib.hasInfix "\n\n\n\nType:") documents.options;
    expected = { };
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
