//! A flake with real NixOS systems, as a folder on the operator's machine. It needs the
//! inputs folder's `nixpkgs-real`: NixOS's own modules over stub packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::baseline::{self, Loader};
use super::files;
use super::fleet::{FOLDER, systems, write_here, write_to_host};
use crate::access;
use crate::cache;
use crate::host::Host;
use crate::prepared::Prepared;

/// Where the inputs are on a host that [`RealFleet::write`] served.
const INPUT: &str = "/opt/nixpkgs-real";

/// As [`super::BASELINE`], but `frame1` runs a real NixOS system, which was deployed from the
/// flake that is on `mac`: what a test changes of it is built in seconds.
pub const REAL: Prepared = Prepared {
    name: "real",
    recipe: files::RECIPE,
    inputs: &["nixpkgs-real"],
    make: |lab| {
        let [mac, frame1] = baseline::pair(lab)?;
        RealFleet::of("frame1", "{ environment.etc.generation.text = \"1\"; }\n").write(&mac)?;
        let system = build_and_copy(&mac, &frame1)?;
        baseline::install_system(&frame1, &system, Loader::Grub)
    },
};

/// Builds the system of `machine` from the flake in [`super::FOLDER`] on `operator`, and puts
/// its closure into the store of `machine`; returns its path.
///
/// # Errors
/// When it does not build, or the operator cannot log in as root.
pub fn build_and_copy(operator: &Host, machine: &Host) -> Result<String> {
    let name = machine.name();
    let attribute = format!("nixosConfigurations.{name}.config.system.build.toplevel");
    let build = format!("nix build --no-link --print-out-paths {FOLDER}#{attribute}");
    let system = operator.sh(&build)?;
    operator.sh(&format!("nix copy --no-check-sigs --to ssh-ng://root@{name} {system}"))?;
    // Nix does not wait for the disk.
    machine.sync()?;
    Ok(system)
}

/// Machines, each with a module of its own besides what all have (`systems/real/machine.nix`).
#[derive(Clone, Debug, Default)]
pub struct RealFleet {
    machines: BTreeMap<String, String>,
}

impl RealFleet {
    /// A fleet of one machine; `module` is the text of a NixOS module.
    pub fn of(name: &str, module: &str) -> Self {
        Self::default().machine(name, module)
    }

    /// A machine; the module of one that is there already is replaced.
    pub fn machine(mut self, name: &str, module: &str) -> Self {
        self.machines.insert(name.to_owned(), module.to_owned());
        self
    }

    fn files(&self, operator: &Host, nixpkgs: &str) -> Result<Vec<(String, String, u32)>> {
        let shadow = operator.read("/etc/shadow")?;
        let password = shadow
            .lines()
            .filter_map(|line| line.strip_prefix("askadmin:"))
            .find_map(|rest| rest.split(':').next())
            .context("askadmin has no password on the operator's machine")?;
        let mut all = systems();
        for (path, text) in files::REAL {
            let text = text.replace("@nixpkgs@", nixpkgs).replace("@askadmin@", password);
            all.push(((*path).to_owned(), text, 0o644));
        }
        for (name, module) in &self.machines {
            all.push((format!("machines/{name}.nix"), module.clone(), 0o644));
        }
        all.push(("key".into(), access::operator_key(operator)?, 0o644));
        Ok(all)
    }

    /// Writes the flake to [`super::FOLDER`] on `operator`, commits it there, and puts the
    /// module tree (24 MB) beside it.
    ///
    /// # Errors
    /// When a folder cannot be written, git fails, or the inputs are missing.
    pub fn write(&self, operator: &Host) -> Result<()> {
        let input = operator.root().join(INPUT.trim_start_matches('/'));
        if !input.exists() {
            crate::process::run(
                std::process::Command::new("cp").arg("--recursive").arg(nixpkgs()?).arg(&input),
            )?;
        }
        // The stub packages build for root alone: one of them writes into a folder that it
        // has made read-only.
        operator.sh("grep -qx 'build-users-group =' /etc/nix/nix.conf || \
                     echo 'build-users-group =' >> /etc/nix/nix.conf")?;
        write_to_host(operator, self.files(operator, INPUT)?)
    }

    /// Writes the flake into a folder of this machine; it finds the module tree in the
    /// inputs folder. Keys and passwords are those of `operator`'s machine.
    ///
    /// # Errors
    /// As [`RealFleet::write`].
    pub fn write_here(&self, folder: &Path, operator: &Host) -> Result<()> {
        let nixpkgs = nixpkgs()?;
        write_here(folder, self.files(operator, &nixpkgs.display().to_string())?)
    }

    /// The folder that Nix has to see besides the flake's.
    ///
    /// # Errors
    /// When there is no cache folder.
    pub fn inputs() -> Result<PathBuf> {
        Ok(cache::folder()?.join("inputs"))
    }
}

fn nixpkgs() -> Result<PathBuf> {
    Ok(RealFleet::inputs()?.join("nixpkgs-real"))
}
