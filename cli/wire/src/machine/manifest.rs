//! The system's manifest: the fields of machine.json that describe the system, not how to reach the
//! machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BeforeActivate, Check, Machine, MachineError, RollBackKind, Secret, UnitGlob, read};

/// The file `etc/deploy-agent/manifest.json` of a system. The flake's modules write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The document's version, [`super::VERSION`].
    pub version: u32,
    /// The checks that the system's services declare.
    pub checks: Vec<Check>,
    /// How the system's services are rolled back.
    pub rollback: OfServices,
    /// Which of the system's units decide.
    #[serde(default)]
    pub units: OfUnits,
    /// Commands to run before a switch to the system.
    pub before_activate: Vec<BeforeActivate>,
    /// The secrets that the system needs.
    pub secrets: Vec<Secret>,
}

/// The part of `rollback` that the system determines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfServices {
    /// For each service, whether the previous programs can read the data that the new ones wrote.
    pub services: BTreeMap<String, RollBackKind>,
}

/// The part of `units` that the system determines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OfUnits {
    /// Units that are reported and never cause a rollback, in addition to the flake's.
    pub advisory: Vec<UnitGlob>,
    /// The units that decide. If the list is set, it replaces the flake's.
    pub deciding: Option<Vec<UnitGlob>>,
}

impl Manifest {
    /// The manifest's path, relative to the toplevel.
    pub const FILE: &str = "etc/deploy-agent/manifest.json";

    /// Reads a manifest. The error names the invalid field.
    pub fn from_json(value: serde_json::Value) -> Result<Self, MachineError> {
        read(value)
    }

    /// Replaces the flake's fields by those of the manifest.
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
