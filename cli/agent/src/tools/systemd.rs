//! `systemctl` and `systemd-run`.
//!
//! As root both talk to PID 1's private socket, which answers even when the system bus is gone. The
//! only exception is `systemd-run --wait`: never use it.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Result, bail};

use super::process;

const LIMIT: Duration = Duration::from_secs(25);

/// The systemd programs of one system.
#[derive(Debug, Clone)]
pub struct Systemd {
    bin: Vec<PathBuf>,
}

/// A transient service, which exists only in PID 1's memory.
pub struct Transient<'a> {
    /// The name, with `.service`.
    pub unit: &'a str,
    /// The description in `systemctl status`.
    pub description: &'a str,
    /// Properties, as `Restart=always`.
    pub properties: &'a [String],
    /// The program and its arguments.
    pub argv: &'a [String],
}

impl Systemd {
    /// The programs of a toplevel, independent of PATH. Missing ones are taken from the running
    /// system.
    pub fn of(toplevel: &str) -> Self {
        Self { bin: vec![PathBuf::from(format!("{toplevel}/systemd/bin"))] }
    }

    fn command(&self, program: &str) -> Command {
        Command::new(process::find(program, &self.bin))
    }

    /// Runs `systemctl`, which must succeed.
    pub fn must(&self, arguments: &[&str], limit: Duration) -> Result<String> {
        let ran = process::run(self.command("systemctl").args(arguments), limit)?;
        if !ran.succeeded() {
            bail!("systemctl {} failed: {}", arguments.join(" "), ran.last_words());
        }
        Ok(ran.out)
    }

    /// Starts a transient service and returns once its program was executed. With timer properties,
    /// starts a timer for the service instead.
    pub fn start_transient(&self, service: &Transient<'_>, timer: &[String]) -> Result<()> {
        let mut command = self.command("systemd-run");
        command.args(["--quiet", "--collect", "--service-type=exec"]);
        command.args(["--unit", service.unit, "--description", service.description]);
        for property in timer {
            command.args(["--timer-property", property]);
        }
        for property in service.properties {
            command.args(["--property", property]);
        }
        let ran = process::run(command.arg("--").args(service.argv), LIMIT)?;
        if !ran.succeeded() {
            bail!("{} could not be started: {}", service.unit, ran.last_words());
        }
        Ok(())
    }

    /// Stops units and waits for at most `limit`.
    pub fn stop(&self, units: &[String], limit: Duration) -> Result<()> {
        self.on_units("stop", units, limit)
    }

    /// Starts units in one transaction and waits for at most `limit`.
    pub fn start(&self, units: &[String], limit: Duration) -> Result<()> {
        self.on_units("start", units, limit)
    }

    fn on_units(&self, verb: &str, units: &[String], limit: Duration) -> Result<()> {
        if units.is_empty() {
            return Ok(());
        }
        let mut arguments = vec![verb, "--"];
        arguments.extend(units.iter().map(String::as_str));
        self.must(&arguments, limit).map(drop)
    }

    /// Kills every process of a unit.
    pub fn kill(&self, unit: &str) -> Result<()> {
        self.must(&["kill", "--kill-whom=all", "--signal=KILL", unit], LIMIT).map(drop)
    }

    /// Cancels jobs in PID 1's queue.
    pub fn cancel(&self, jobs: &[u64]) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let numbers: Vec<String> = jobs.iter().map(u64::to_string).collect();
        let mut arguments = vec!["cancel"];
        arguments.extend(numbers.iter().map(String::as_str));
        self.must(&arguments, LIMIT).map(drop)
    }
}
