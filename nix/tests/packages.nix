# Compares the packages of the programs with what the programs look for and with the output of
# scripts/build. Only names are compared, because a stand-in for nixpkgs compiles nothing.
{ inputs, lib, ... }:
let
  inherit (inputs.self) packages;
  linux = [
    "x86_64-linux"
    "aarch64-linux"
  ];
  agentsOf = system: lib.filter (lib.hasPrefix "deploy-agent") (lib.attrNames packages.${system});
  source = import ../packages/source.nix { inherit lib; };
  sources = lib.concatMap (crate: lib.filesystem.listFilesRecursive ../../cli/${crate}) [
    "agent"
    "deploy"
  ];
  # Pages that the sources mention, as docs/NAME.md.
  pagesIn = file: lib.concatLists (lib.filter lib.isList (builtins.split "docs/([a-z-]+[.]md)" (builtins.readFile file)));
  pages = lib.unique (lib.concatMap pagesIn (lib.filter (file: lib.hasSuffix ".rs" (toString file)) sources));
in
{
  "an agent for each Linux system, none for a Mac" = {
    expr = lib.mapAttrs (system: _: agentsOf system) packages;
    expected = lib.genAttrs linux (system: [ "deploy-agent-${system}" ]) // {
      aarch64-darwin = [ ];
    };
  };
  "the agent is where deploy looks for it beside itself" = {
    expr = map (
      system: lib.hasInfix "/bin/deploy-agent $out/libexec/deploy-agent-${system}\n" packages.${system}.deploy.postInstall
    ) linux;
    expected = [
      true
      true
    ];
  };
  "scripts/build gives it the same name" = {
    expr = lib.all (text: lib.hasInfix text (builtins.readFile ../../scripts/build)) [
      "dist/libexec/deploy-agent-$1-linux"
      "dist/bin/deploy"
    ];
    expected = true;
  };
  "deploy looks for that name" = {
    expr = lib.all (text: lib.hasInfix text (builtins.readFile ../../cli/deploy/src/stages/push/agent_program.rs)) [
      "deploy-agent-{system}"
      ''join("libexec")''
    ];
    expected = true;
  };
  "the programs are built with every page that their sources name" = {
    expr = lib.filter (page: !builtins.pathExists "${source}/docs/${page}") pages;
    expected = [ ];
  };
  "the list of pages is not empty" = {
    expr = lib.elem "json.md" pages;
    expected = true;
  };
}
