//! What a system says of itself: the part of machine.json that belongs to the system and not to
//! the way to the machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BeforeActivate, Check, Machine, MachineError, RollBackKind, Secret, UnitGlob, read};

/// `etc/deploy-agent/manifest.json` of a system, which the flake's modules put there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The document's version, [`super::VERSION`].
    pub version: u32,
    /// Checks that its services declare.
    pub checks: Vec<Check>,
    /// What going back means for its services.
    pub rollback: OfServices,
    /// Which of its units decide.
    #[serde(default)]
    pub units: OfUnits,
    /// Commands to run before a switch to it.
    pub before_activate: Vec<BeforeActivate>,
    /// Secrets that it needs.
    pub secrets: Vec<Secret>,
}

/// The part of `rollback` that belongs to a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfServices {
    /// Per service, whether the programs of before can read its data of after.
    pub services: BTreeMap<String, RollBackKind>,
}

/// The part of `units` that belongs to a system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OfUnits {
    /// Units that are reported and never roll the machine back, besides the flake's.
    pub advisory: Vec<UnitGlob>,
    /// The units that decide, in place of the flake's where there are any.
    pub deciding: Option<Vec<UnitGlob>>,
}

impl Manifest {
    /// Where it is in a system.
    pub const FILE: &str = "etc/deploy-agent/manifest.json";

    /// Reads one. The error names the field that is wrong.
    pub fn from_json(value: serde_json::Value) -> Result<Self, MachineError> {
        read(value)
    }

    /// Puts what a system says of itself in place of what the flake says.
    pub fn apply_to(self, machine: &mut Machine) {
        machine.checks = self.checks;
        machine.rollback.services = self.rollback.services;
        machine.before_activate = self.before_activate;
        machine.secrets = self.secrets;
        for unit in self.units.advisory {
            if !machine.units.advisory.contains(&unit) {
                machine.units.advisory.push(unit);
            }
        }
        if self.units.deciding.is_some() {
            machine.units.deciding = self.units.deciding;
        }
    }
}
