//! The deployed system, for both lanes.

use std::time::Duration;

use anyhow::Result;
use deploy_lab::hosts::Host;
use deploy_lab::systems::{Fault, Fleet, Generation, Lane, Module, RealFleet, Unit};
use serde_json::{Value, json};

/// A system of frame1, and the settings of its node.
#[derive(Clone)]
pub struct Wanted {
    generation: Generation,
    module: Module,
    node: Vec<(&'static str, Value)>,
}

impl Wanted {
    /// A working system with this number in /etc/generation.
    pub fn new(number: u32) -> Self {
        let (generation, module) = (Generation::new("frame1", number), Module::new(number));
        Self { generation, module, node: Vec::new() }
    }

    /// Adds a fault to the system.
    pub fn with(mut self, fault: &Fault) -> Self {
        self.generation = self.generation.with(fault);
        self.module = self.module.with(fault);
        self
    }

    /// Adds a service that starts with the system, with these lines in `[Service]`.
    pub fn service(mut self, name: &str, lines: &str) -> Self {
        self.generation = self.generation.unit(&format!("{name}.service"), Unit::service(lines));
        self.module = self.module.service(name, lines);
        self
    }

    /// Adds a line to sshd's settings.
    pub fn sshd(mut self, line: &str) -> Self {
        self.generation = self.generation.sshd_config(line);
        self.module = self.module.line(&format!("services.openssh.extraConfig = ''{line}'';"));
        self
    }

    /// Sets how long the machine waits for its confirmation.
    pub fn confirmed_within(self, limit: Duration) -> Self {
        self.node("confirmTimeout", limit.as_secs())
    }

    /// Sets a field of the node.
    pub fn node(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.node.push((key, value.into()));
        self
    }

    /// Sets short limits for all phases, which bound how long the operator waits when nothing
    /// answers.
    pub fn short(self) -> Self {
        self.node("timeouts", json!({ "activation": 20, "check": 15, "rollback": 20 }))
    }

    /// Writes the flake of the system.
    pub fn write(&self, operator: &Host, lane: Lane) -> Result<()> {
        let node = self.node.iter().cloned();
        match lane {
            Lane::StandIn | Lane::Hostile => node
                .fold(Fleet::of("frame1", self.generation.clone()), |fleet, (key, value)| {
                    fleet.node("frame1", key, value)
                })
                .write(operator),
            Lane::Real => node
                .fold(RealFleet::of("frame1", self.module.clone()), |fleet, (key, value)| {
                    fleet.node("frame1", key, value)
                })
                .write(operator),
        }
    }
}
