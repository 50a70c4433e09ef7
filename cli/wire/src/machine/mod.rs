//! `machine.json`: what a flake tells `deploy` about one machine.
//!
//! One document per machine is all that crosses from Nix to Rust. An unknown
//! field is an error that names it; a field more means a version more.

mod access;
mod check;
mod decision;
mod image;
mod manifest;
mod system;
mod unit_glob;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use access::{Build, BuildPlace, Confirm, Profile, ProfileScript, Push, Ssh, Sudo};
pub use check::{Check, CheckKind, Level};
pub use decision::{BeforeActivate, Policy, RollBack, RollBackKind, Secret, Timeouts, Units};
pub use image::{Image, ImageKind};
pub use manifest::{Manifest, OfServices, OfUnits};
pub use system::System;
pub use unit_glob::{UnitGlob, full_name};

use crate::store_path::StorePath;

/// The version of `machine.json` written and read here.
pub const VERSION: u32 = 1;

/// One machine of the fleet, as the flake describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Machine {
    /// The document's version, [`VERSION`].
    pub version: u32,
    /// The machine's name in the flake.
    pub name: String,
    /// Words to select machines by; `manual` keeps it out of "all machines".
    #[serde(default)]
    pub tags: Vec<String>,
    /// The platform that the system is built for.
    pub system: System,
    /// The system closure, evaluated but not built; null where the system stays and profiles
    /// alone are deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toplevel: Option<Package>,
    /// What `deploy build` makes in place of the system; null for a machine that is
    /// installed otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// What the machine calls itself once this system runs; null when the flake
    /// does not tell.
    #[serde(default)]
    pub host_name: Option<String>,
    /// How to log in.
    pub ssh: Ssh,
    /// How the login user becomes root; null when it is root.
    #[serde(default)]
    pub sudo: Option<Sudo>,
    /// Profiles of a deploy-rs flake besides what `toplevel` says.
    #[serde(default)]
    pub profiles: Vec<Profile>,
    /// Where the closure is built.
    #[serde(default)]
    pub build: Build,
    /// How the closure travels.
    #[serde(default)]
    pub push: Push,
    /// How the new system is reached, when that differs from `ssh`.
    #[serde(default)]
    pub confirm: Confirm,
    /// Limits of the phases, in seconds.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How units decide.
    #[serde(default)]
    pub units: Units,
    /// Checks that the services declare.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// What going back means for the services.
    #[serde(default)]
    pub rollback: RollBack,
    /// Commands to run on the machine before the switch.
    #[serde(default)]
    pub before_activate: Vec<BeforeActivate>,
    /// Secrets that must be decryptable before the switch.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// The agent per system, when the flake brings one; a package with
    /// `bin/deploy-agent`.
    #[serde(default)]
    pub agent: BTreeMap<System, Package>,
    /// The flake's revision, kept with the generation.
    #[serde(default)]
    pub revision: Option<Revision>,
}

/// Something to build and what comes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    /// The derivation.
    pub drv: StorePath,
    /// Its output `out`.
    pub out: StorePath,
}

/// Which state of the flake a system was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revision {
    /// The git revision, or null for a tree that is not in git.
    #[serde(default)]
    pub rev: Option<String>,
    /// Whether the tree had changes that no commit holds.
    pub dirty: bool,
    /// The last commit's (or change's) time, in seconds since 1970.
    pub last_modified: u64,
}

/// Why a `machine.json` was refused.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The document is of a version that this program does not speak.
    #[error("the document has version {found}, this program reads {VERSION}")]
    Version {
        /// The version in the document.
        found: u64,
    },
    /// The document has a wrong shape: field and reason.
    #[error("{field}: {reason}")]
    Shape {
        /// The path of the field, as `ssh.port`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Machine {
    /// Reads one document. The error names the field that is wrong.
    pub fn from_json(value: serde_json::Value) -> Result<Self, MachineError> {
        read(value)
    }

    /// The profiles besides the system, in their order.
    pub fn other_profiles(&self) -> Vec<&Profile> {
        let mut others: Vec<_> =
            self.profiles.iter().filter(|profile| !profile.is_system()).collect();
        others.sort_by_key(|profile| profile.order);
        others
    }
}

/// Reads a document of this version. The version first: another may have another shape.
fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, MachineError> {
    if let Some(found) = value.get("version").and_then(serde_json::Value::as_u64)
        && found != u64::from(VERSION)
    {
        return Err(MachineError::Version { found });
    }
    serde_path_to_error::deserialize(value).map_err(|error| MachineError::Shape {
        field: error.path().to_string(),
        reason: error.inner().to_string(),
    })
}
