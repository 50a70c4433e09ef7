# What the programs are built from. Only the workspace and the pages that its tests
# read, so that an edit of a module or of another page does not build them again.
{ lib }:
lib.fileset.toSource {
  root = ../..;
  fileset = lib.fileset.unions [
    ../../Cargo.toml
    ../../Cargo.lock
    ../../cli
    # Tests compare them with the sources.
    ../../docs/architecture.md
    ../../docs/environment.md
    ../../docs/json.md
  ];
}
