# `deploy`: the operator's side, for Linux and macOS.
#
# `agents` is a package for each Linux system, which is installed beside the program as
# `libexec/deploy-agent-SYSTEM`. A Mac's package has none, because it would need a Linux builder
# before the first deploy.
{
  lib,
  rustPlatform,
  agents ? { },
}:
rustPlatform.buildRustPackage {
  pname = "deploy";
  version = (lib.importTOML ../../Cargo.toml).workspace.package.version;
  src = import ./source.nix { inherit lib; };
  cargoLock.lockFile = ../../Cargo.lock;
  cargoBuildFlags = [
    "--package=deploy"
    "--package=deploy-pages"
  ];
  cargoTestFlags = [ "--package=deploy" ];
  # The manual pages and completions are made from the command line itself. The program that makes
  # them is not installed.
  postInstall = ''
    $out/bin/deploy-pages $out/share
    rm $out/bin/deploy-pages
  ''
  + lib.concatStrings (
    lib.mapAttrsToList (system: agent: ''
      install -D ${lib.getExe agent} $out/libexec/deploy-agent-${system}
    '') agents
  );
  meta = {
    description = "Deploys NixOS machines and keeps only what is reachable and healthy";
    license = lib.licenses.mit;
    mainProgram = "deploy";
    platforms = lib.platforms.unix;
  };
}
