//! A flake of systems without nixpkgs, as a folder on the operator's computer.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::files::{self, FLAKE, SYSTEMS};
use super::generation::Generation;
use crate::hosts::Host;

/// Where [`Fleet::write`] puts the flake.
pub const FOLDER: &str = "/root/fleet";

/// Machines and their systems: a flake with `deploy.nodes` in deploy-rs's schema and
/// `nixosConfigurations`.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    machines: BTreeMap<String, Machine>,
}

#[derive(Clone, Debug, Default)]
struct Machine {
    generation: Option<Generation>,
    node: Map<String, Value>,
    profile: Map<String, Value>,
}

impl Fleet {
    /// A fleet of one machine, whose name is also its SSH address.
    pub fn of(name: &str, generation: Generation) -> Self {
        Self::default().machine(name, generation)
    }

    /// Adds a machine, or replaces its system.
    pub fn machine(mut self, name: &str, generation: Generation) -> Self {
        self.machines.entry(name.to_owned()).or_default().generation = Some(generation);
        self
    }

    /// Adds a setting of the machine's node, such as `sshUser` or `confirmTimeout`.
    pub fn node(mut self, name: &str, key: &str, value: impl Into<Value>) -> Self {
        self.entry(name).node.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a setting of the machine's `system` profile.
    pub fn profile(mut self, name: &str, key: &str, value: impl Into<Value>) -> Self {
        self.entry(name).profile.insert(key.to_owned(), value.into());
        self
    }

    fn entry(&mut self, name: &str) -> &mut Machine {
        self.machines.entry(name.to_owned()).or_default()
    }

    /// The paths and texts of the flake, with their modes.
    pub(super) fn files(&self) -> Result<Vec<(String, String, u32)>> {
        let mut all = systems();
        all.push(("flake.nix".into(), FLAKE.to_owned(), 0o644));
        for (name, machine) in &self.machines {
            let generation = machine.generation.clone();
            let generation = generation.unwrap_or_else(|| Generation::new(name, 1));
            let text = serde_json::to_string_pretty(&json!({
                "generation": generation,
                "node": machine.node,
                "profile": machine.profile,
            }))?;
            all.push((format!("machines/{name}.json"), text, 0o644));
        }
        Ok(all)
    }

    /// Writes the flake to [`FOLDER`] on `operator` and commits it, so that the tree is clean.
    /// Machines that are not in this fleet are removed.
    ///
    /// # Errors
    /// When the folder cannot be written, or git fails.
    pub fn write(&self, operator: &Host) -> Result<()> {
        write_to_host(operator, self.files()?)
    }

    /// Writes the flake to a folder of this machine.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_here(&self, folder: &Path) -> Result<()> {
        write_here(folder, self.files()?)
    }
}

pub(super) fn systems() -> Vec<(String, String, u32)> {
    let file = |(path, text): &files::File| {
        (format!("systems/{path}"), (*text).to_owned(), files::mode(path))
    };
    SYSTEMS.iter().map(file).collect()
}

pub(super) fn write_here(folder: &Path, files: Vec<(String, String, u32)>) -> Result<()> {
    for (path, text, mode) in files {
        let path = folder.join(path);
        let parent = path.parent().context("a file has a folder")?;
        fs::create_dir_all(parent)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

pub(super) fn write_to_host(operator: &Host, files: Vec<(String, String, u32)>) -> Result<()> {
    let folder = operator.root().join(FOLDER.trim_start_matches('/'));
    for old in ["machines", "systems"] {
        let old = folder.join(old);
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    write_here(&folder, files)?;
    commit(operator, FOLDER)
}

/// Commits everything in `folder` on `operator`.
pub(super) fn commit(operator: &Host, folder: &str) -> Result<()> {
    operator.sh(&format!(
        "cd {folder}; [ -d .git ] || git init -q -b main; git add --all; \
         git diff --cached --quiet || \
         git -c user.name=operator -c user.email=operator@mac commit -q -m systems"
    ))?;
    Ok(())
}
