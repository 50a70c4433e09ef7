//! What is deployed, as a system made without nixpkgs.

use std::time::Duration;

use deploy_lab::systems::{Fleet, Generation};
use serde_json::{Value, json};

/// A generation of frame1 and the settings of its node.
#[derive(Clone)]
pub struct Wanted {
    pub generation: Generation,
    node: Vec<(&'static str, Value)>,
}

impl Wanted {
    /// A working system.
    pub fn new(number: u32) -> Self {
        Self { generation: Generation::new("frame1", number), node: Vec::new() }
    }

    /// Another system.
    pub fn system(mut self, change: impl FnOnce(Generation) -> Generation) -> Self {
        self.generation = change(self.generation);
        self
    }

    /// How long the machine waits for its confirmation.
    pub fn confirmed_within(self, limit: Duration) -> Self {
        self.node("confirmTimeout", limit.as_secs())
    }

    /// A setting of the node.
    pub fn node(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.node.push((key, value.into()));
        self
    }

    /// Short limits for all phases: what the operator waits for at most when nothing answers.
    pub fn short(self) -> Self {
        self.node("timeouts", json!({ "activation": 20, "check": 15, "rollback": 20 }))
    }

    /// The fleet that has it.
    pub fn fleet(&self) -> Fleet {
        let fleet = Fleet::of("frame1", self.generation.clone());
        self.node.iter().fold(fleet, |fleet, (key, value)| fleet.node("frame1", key, value.clone()))
    }
}
