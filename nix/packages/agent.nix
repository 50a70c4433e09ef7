# `deploy-agent`, which runs on the machine as root. Linux only.
{ lib, rustPlatform }:
rustPlatform.buildRustPackage {
  pname = "deploy-agent";
  version = (lib.importTOML ../../Cargo.toml).workspace.package.version;
  src = import ./source.nix { inherit lib; };
  cargoLock.lockFile = ../../Cargo.lock;
  cargoBuildFlags = [ "--package=deploy-agent" ];
  cargoTestFlags = [ "--package=deploy-agent" ];
  meta = {
    description = "Activates a system on the machine and keeps it only when it is confirmed";
    license = lib.licenses.mit;
    mainProgram = "deploy-agent";
    platforms = lib.platforms.linux;
  };
}
