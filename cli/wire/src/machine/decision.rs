//! What decides whether a new system is kept, and how the machine rolls back.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{UnitGlob, generator::Generator};

/// Limits of the phases, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Timeouts {
    /// The limit of the switch.
    pub activation: u64,
    /// The limit of the checks, including their grace and the watch on units.
    pub check: u64,
    /// The limit of the rollback.
    pub rollback: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { activation: 240, check: 180, rollback: 240 }
    }
}

impl Timeouts {
    /// The limit of the switch.
    pub fn activation(&self) -> Duration {
        Duration::from_secs(self.activation)
    }
    /// The limit of the checks.
    pub fn check(&self) -> Duration {
        Duration::from_secs(self.check)
    }
    /// The limit of the rollback.
    pub fn rollback(&self) -> Duration {
        Duration::from_secs(self.rollback)
    }
}

/// How systemd units decide over a deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Units {
    /// The consequence of a unit that this deploy broke.
    pub policy: Policy,
    /// Units that are ignored. This list comes before the two below.
    pub ignore: Vec<UnitGlob>,
    /// Units that are reported and never cause a rollback. This list comes before `deciding`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advisory: Vec<UnitGlob>,
    /// The units that decide; all others are only reported. Null means that all units decide except
    /// those that docs/units.md lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deciding: Option<Vec<UnitGlob>>,
    /// Seconds that a unit touched by this deploy must stay up.
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
    /// How long a touched unit must stay up.
    pub fn watch(&self) -> Duration {
        Duration::from_secs(self.watch)
    }
}

/// The consequence of a unit that this deploy broke.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Policy {
    /// The machine rolls back.
    #[default]
    Required,
    /// The unit is reported.
    Advisory,
    /// The unit is ignored.
    Ignore,
}

/// How the machine rolls back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RollBack {
    /// For each service, whether the previous programs can read the data that the new ones wrote.
    pub services: BTreeMap<String, RollBackKind>,
    /// Whether the machine is rebooted when nothing else brings the previous system back.
    pub reboot: bool,
}

impl Default for RollBack {
    fn default() -> Self {
        Self { services: BTreeMap::new(), reboot: true }
    }
}

/// Whether a service can be rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RollBackKind {
    /// Rolling back is safe.
    Safe,
    /// The service's data changes format: `deploy` asks first, and the agent does not switch back
    /// without being told.
    Unsafe,
}

/// A command that runs on the machine before the switch. The agent refuses the deploy if it fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BeforeActivate {
    /// The service that declares it.
    pub service: String,
    /// The program and its arguments; no shell is involved.
    pub argv: Vec<String>,
    /// The command's limit in seconds.
    pub timeout: u64,
}

/// A secret of agenix, as the new configuration declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// The secret's name.
    pub name: String,
    /// The encrypted file. It is in the store, or missing if it was never created.
    pub file: String,
    /// The path of the decrypted file.
    pub path: String,
    /// The mode of the decrypted file, as `0400`.
    pub mode: String,
    /// The owner of the decrypted file.
    pub owner: String,
    /// The group of the decrypted file.
    pub group: String,
    /// The private keys that agenix tries.
    pub identity_paths: Vec<String>,
    /// The `age` program of the closure; it may be a shell fragment.
    pub age_bin: String,
    /// Units that restart when the secret changes.
    #[serde(default)]
    pub restart_units: Vec<String>,
    /// What the secret should contain. The message about a missing secret shows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// What makes it, where it was never made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<Generator>,
}
