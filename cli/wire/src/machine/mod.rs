//! `machine.json`: what a flake tells `deploy` about one machine.
//!
//! Nix passes one such document per machine to Rust, and nothing else. An unknown field is an error
//! that names it, so after the first release a new field needs a new version.

mod access;
mod check;
mod decision;
mod generator;
mod image;
mod manifest;
mod system;
mod unit_glob;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use access::{Build, BuildPlace, Compress, Confirm, Profile, ProfileScript, Push, Ssh, Sudo};
pub use check::{Check, CheckKind, Level};
pub use decision::{BeforeActivate, Policy, RollBack, RollBackKind, Secret, Timeouts, Units};
pub use generator::{Generator, GeneratorKind};
pub use image::{Image, ImageKind};
pub use manifest::{Manifest, OfServices, OfUnits};
pub use system::System;
pub use unit_glob::{UnitGlob, full_name};

use crate::store_path::StorePath;

/// The version of `machine.json` that this program writes and reads.
pub const VERSION: u32 = 1;

/// One machine of the fleet, as the flake describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Machine {
    /// The document's version, [`VERSION`].
    pub version: u32,
    /// The machine's name in the flake.
    pub name: String,
    /// Tags to select machines by. The tag `manual` excludes the machine from "all machines".
    #[serde(default)]
    pub tags: Vec<String>,
    /// The platform that the system is built for.
    pub system: System,
    /// The system, evaluated but not built; null where only profiles are deployed and the system
    /// stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toplevel: Option<Package>,
    /// The image that `deploy build` builds instead of the system; null for a machine that is
    /// installed in another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The hostname of the machine once this system runs; null if the flake does not set one.
    #[serde(default)]
    pub host_name: Option<String>,
    /// How to log in to the machine.
    pub ssh: Ssh,
    /// How the login user becomes root; null when the login user is root.
    #[serde(default)]
    pub sudo: Option<Sudo>,
    /// The profiles of a flake in deploy-rs's format, besides the system.
    #[serde(default)]
    pub profiles: Vec<Profile>,
    /// Where the closure is built.
    #[serde(default)]
    pub build: Build,
    /// How the closure is pushed.
    #[serde(default)]
    pub push: Push,
    /// How to reach the new system, if that differs from `ssh`.
    #[serde(default)]
    pub confirm: Confirm,
    /// Limits of the phases, in seconds.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How units decide over a deploy.
    #[serde(default)]
    pub units: Units,
    /// Checks that the services declare.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// How the services are rolled back.
    #[serde(default)]
    pub rollback: RollBack,
    /// Commands to run on the machine before the switch.
    #[serde(default)]
    pub before_activate: Vec<BeforeActivate>,
    /// Secrets that must be decryptable before the switch.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// The agent for each platform, if the flake brings one: a package with `bin/deploy-agent`.
    #[serde(default)]
    pub agent: BTreeMap<System, Package>,
    /// The flake's revision, which is recorded with the generation.
    #[serde(default)]
    pub revision: Option<Revision>,
}

/// A derivation and its output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    /// The derivation.
    pub drv: StorePath,
    /// The derivation's output `out`.
    pub out: StorePath,
}

/// The state of the flake that a system was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revision {
    /// The git revision; null for a tree outside of git.
    #[serde(default)]
    pub rev: Option<String>,
    /// Whether the tree had uncommitted changes.
    pub dirty: bool,
    /// The time of the last commit (or change), in seconds since 1970.
    pub last_modified: u64,
}

/// Why a `machine.json` is rejected.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The document has a version that this program does not support.
    #[error("the document has version {found}, this program reads {VERSION}")]
    Version {
        /// The version in the document.
        found: u64,
    },
    /// A field of the document is invalid.
    #[error("{field}: {reason}")]
    Shape {
        /// The path of the invalid field, as `ssh.port`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Machine {
    /// Reads one document. The error names the invalid field.
    pub fn from_json(value: serde_json::Value) -> Result<Self, MachineError> {
        read(value)
    }

    /// The profiles besides the system, in order.
    pub fn other_profiles(&self) -> Vec<&Profile> {
        let mut others: Vec<_> =
            self.profiles.iter().filter(|profile| !profile.is_system()).collect();
        others.sort_by_key(|profile| profile.order);
        others
    }
}

/// Reads a document of this version. It checks the version first, because another version may have
/// other fields.
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
