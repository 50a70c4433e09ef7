//! What decides whether a new system is kept, and what going back means.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::UnitGlob;

/// Limits of the phases, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Timeouts {
    /// The switch to the new system.
    pub activation: u64,
    /// The checks, grace and watch included.
    pub check: u64,
    /// The way back.
    pub rollback: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { activation: 240, check: 180, rollback: 240 }
    }
}

impl Timeouts {
    /// Limit of the switch.
    pub fn activation(&self) -> Duration {
        Duration::from_secs(self.activation)
    }
    /// Limit of the checks.
    pub fn check(&self) -> Duration {
        Duration::from_secs(self.check)
    }
    /// Limit of the way back.
    pub fn rollback(&self) -> Duration {
        Duration::from_secs(self.rollback)
    }
}

/// How systemd units decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Units {
    /// What a unit broken by this deploy does.
    pub policy: Policy,
    /// Units that are not looked at, before the two lists below.
    pub ignore: Vec<UnitGlob>,
    /// Units that are reported and never roll the machine back, before `deciding`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advisory: Vec<UnitGlob>,
    /// The units that decide; every other is reported. Null: all decide but those that
    /// docs/units.md lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deciding: Option<Vec<UnitGlob>>,
    /// Seconds that a unit touched by this deploy must live.
    pub watch: u64,
}

impl Default for Units {
    fn default() -> Self {
        Self {
            policy: Policy::Required,
            ignore: Vec::new(),
            advisory: Vec::new(),
            deciding: None,
            watch: 10,
        }
    }
}

impl Units {
    /// How long a touched unit must live.
    pub fn watch(&self) -> Duration {
        Duration::from_secs(self.watch)
    }
}

/// What a unit broken by this deploy does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Policy {
    /// The machine goes back.
    #[default]
    Required,
    /// It is reported.
    Advisory,
    /// It is not looked at.
    Ignore,
}

/// What going back means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RollBack {
    /// Per service, whether the programs of before can read its data of after.
    pub services: BTreeMap<String, RollBackKind>,
    /// Whether a machine that nothing else brings back is rebooted.
    pub reboot: bool,
}

impl Default for RollBack {
    fn default() -> Self {
        Self { services: BTreeMap::new(), reboot: true }
    }
}

/// Whether a service can go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RollBackKind {
    /// Going back is safe.
    Safe,
    /// Its data moved: the deploy asks, and does not switch back by itself.
    Unsafe,
}

/// A command to run on the machine before the switch. Failing refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BeforeActivate {
    /// The service that declares it.
    pub service: String,
    /// Program and arguments; no shell.
    pub argv: Vec<String>,
    /// Seconds it may take.
    pub timeout: u64,
}

/// A secret of agenix, as the new configuration declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// The encrypted file; in the store, or missing when it was never made.
    pub file: String,
    /// Where it is decrypted to.
    pub path: String,
    /// Its permissions, as `0400`.
    pub mode: String,
    /// Its owner.
    pub owner: String,
    /// Its group.
    pub group: String,
    /// Private keys that are tried.
    pub identity_paths: Vec<String>,
    /// The `age` program of the closure; may be a piece of shell.
    pub age_bin: String,
    /// Units that restart when it changes.
    #[serde(default)]
    pub restart_units: Vec<String>,
    /// What belongs into it, for the message that it is missing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}
