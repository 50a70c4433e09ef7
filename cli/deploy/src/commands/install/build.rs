//! Everything that is installed, built here before a disk is written.

use std::{
    fs,
    path::{Path, PathBuf},
};

use deploy_wire::{machine::Machine, store_path::StorePath};

use super::look::{self, Looked};
use crate::{
    error::{Failure, Result},
    install::{anywhere::PROGRAM, wish::InstallWish},
    report::{Report, bytes},
    stages::{build as stage, fleet},
    tools::process,
};

/// What is installed.
pub struct BuiltInstallation {
    /// The machine, as it was evaluated with its new key.
    pub machine: Machine,
    /// The system.
    pub system: StorePath,
    /// The script that makes the disks.
    pub disko: StorePath,
    /// The size of the system's closure in bytes.
    pub bytes: u64,
}

/// nixos-anywhere: the one on PATH, else that of the nixpkgs that the flake has locked.
pub async fn nixos_anywhere(looked: &Looked) -> Result<PathBuf> {
    if let Some(program) = process::find(PROGRAM, &[]) {
        return Ok(program);
    }
    let flake = fleet::source::absolute(&looked.selection.flake);
    let package = looked.nix.package(&flake, PROGRAM).await.map_err(|error| {
        Failure::unchanged(format!("there is no {PROGRAM}"))
            .because(error)
            .hint(Some(format!("install it: nix profile install nixpkgs#{PROGRAM}")))
    })?;
    Ok(package.join("bin").join(PROGRAM))
}

/// Evaluates the flake again, because the secrets may have changed, and builds.
pub async fn build(looked: &Looked, report: &Report) -> Result<BuiltInstallation> {
    let Looked { selection, overrides, fit, .. } = looked;
    let (nix, machine) = look::machine(selection, overrides, report).await?;
    let name = &machine.name;
    let wish = fleet::installation(&nix, name, selection, overrides, report).await?;
    let wish = InstallWish::read(name, wish)?;
    if wish.disks != looked.wish.disks {
        return Err(Failure::unchanged(format!("the disks of {name} changed meanwhile"))
            .because("the flake names other disks than those that were looked at")
            .hint(Some("run it again".into())));
    }
    let script = wish.disko.ok_or_else(|| Failure::unchanged("the flake has no disk script"))?;
    let disko = stage::build_alone(&nix, &machine, &script.drv, "disk script", report).await?;
    let paths = stage::build_here(&nix, &machine, report).await?;
    let system = paths.first().and_then(|path| StorePath::parse(path).ok());
    let system = system.ok_or_else(|| Failure::unchanged(format!("{name} has no system")))?;
    refuse_wrong_script(name, Path::new(disko.as_str()))?;
    let sizes = nix.sizes(&system).await.map_err(|error| {
        Failure::unchanged(format!("the size of the system of {name} is not known")).because(error)
    })?;
    let size = sizes.values().sum();
    let room: u64 = fit.disks.iter().map(|disk| disk.bytes).sum();
    if size > room {
        return Err(Failure::unchanged(format!("{name} does not fit on its disks"))
            .because(format!("its system has {}, all disks together {}", bytes(size), bytes(room)))
            .hint(Some("disko.devices.disk names larger ones, or the system has less".into())));
    }
    Ok(BuiltInstallation { machine, system, disko, bytes: size })
}

/// nixos-anywhere starts it on the computer, where it would end with a message of the shell's.
fn refuse_wrong_script(name: &str, script: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let is_program = |meta: fs::Metadata| meta.is_file() && meta.permissions().mode() & 0o111 != 0;
    if fs::metadata(script).is_ok_and(is_program) {
        return Ok(());
    }
    Err(Failure::unchanged(format!("the disks of {name} cannot be made"))
        .because(format!("config.system.build.diskoScript is no program: {}", script.display())))
}
