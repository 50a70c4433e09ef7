# The sources of the programs: only the workspace and the pages that its tests read, so that an edit
# of a module or of another page does not rebuild them.
{ lib }:
lib.fileset.toSource {
  root = ../..;
  fileset = lib.fileset.unions [
    ../../Cargo.toml
    ../../Cargo.lock
    ../../cli
    # Tests compare them with the sources.
    ../../README.md
    ../../SECURITY.md
    ../../docs/agent-on-the-machine.md
    ../../docs/architecture.md
    ../../docs/commands.md
    ../../docs/environment.md
    ../../docs/json.md
    ../../docs/performance.md
    ../../docs/secrets.md
    ../../docs/ssh-config.md
    ../../docs/what-deploy-says.md
    ../../docs/nix-versions.md
    ../../docs/units.md
    ../../docs/iso.md
    ../../docs/vm.md
    ../../docs/migration.md
    # A test finds the fleet in it.
    ../../nix/templates/homelab/flake.nix
  ];
}
