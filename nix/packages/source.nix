# What the programs are built from. Only the workspace, so that an edit of a
# module or of a page does not build them again.
{ lib }:
lib.fileset.toSource {
  root = ../..;
  fileset = lib.fileset.unions [
    ../../Cargo.toml
    ../../Cargo.lock
    ../../cli
  ];
}
