//! This repository's own flake, deployed to a host with frame1's address.

pub mod adopted;
pub mod agenix;
pub mod agenix_activation;
pub mod checks;
mod closed;
pub mod deploys;
pub mod images;
pub mod poison;
pub mod secrets;
pub mod services;
pub mod several;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::{self, DEPLOY};
use deploy_lab::hosts::{Host, Lab};
use deploy_lab::systems::{HOMELAB, HOMELAB_FOLDER, Homelab, OVERRIDE, frame1};
use serde_json::Value;

use crate::scene::{ANSWERS, Said};

/// The operator's computer `mac` with the flake, and `frame1` with the flake's system.
pub struct Home {
    pub mac: Host,
    pub frame1: Host,
}

impl Home {
    pub fn new(lab: &mut Lab) -> Result<Self> {
        let mac = lab.prepared(&HOMELAB, "mac")?;
        let frame1 = lab.prepared_as(&HOMELAB, "frame1", frame1()?)?;
        Self::on(mac, frame1)
    }

    /// Switches these two hosts on.
    pub fn on(mac: Host, frame1: Host) -> Result<Self> {
        mac.boot()?;
        frame1.boot()?;
        frame1.wait_until_up()?;
        mac.wait_until_up()?;
        programs::install(&mac)?;
        Ok(Self { mac, frame1 })
    }

    pub fn has(&self, flake: &Homelab) -> Result<()> {
        flake.write(&self.mac, &self.frame1)
    }

    /// `deploy ARGS -- --override-input nixpkgs path:…` in the flake's folder.
    pub fn deploy(&self, args: &str) -> Result<Said> {
        let line = format!("cd {HOMELAB_FOLDER} && exec {DEPLOY} {args} -- {OVERRIDE}");
        // Some checks of the flake may fail for more than a minute before they decide.
        let deploy = self.mac.command(["sh", "-c", &line]).spawn()?;
        Ok(Said::of(&deploy.wait(Duration::from_secs(480))?))
    }

    /// An attribute of the flake, as JSON.
    pub fn eval(&self, attribute: &str, apply: &str) -> Result<String> {
        self.mac.sh(&format!(
            "cd {HOMELAB_FOLDER}; nix eval --json .#{attribute} --apply '{apply}' {OVERRIDE}"
        ))
    }

    /// The flake's system for frame1.
    pub fn wanted(&self) -> Result<String> {
        let quoted = self.eval(
            "nixosConfigurations.frame1",
            "machine: machine.config.system.build.toplevel.outPath",
        )?;
        Ok(quoted.trim_matches('"').to_owned())
    }

    /// The names of the checks in frame1's manifest.
    pub fn checks(&self) -> Result<BTreeSet<String>> {
        named_checks(&self.eval("deploy.nodes.frame1", "node: node.checks")?)
    }

    /// The running system of frame1, asked over SSH.
    pub fn runs(&self) -> Result<String> {
        self.mac.sh("ssh frame1 readlink /run/current-system")
    }

    /// Checks that frame1 runs `system`, accepts logins and boots it.
    pub fn ends_on(&self, system: &str) -> Result<()> {
        ensure!(self.runs()? == system, "frame1 runs {}, not {system}", self.runs()?);
        self.frame1.power_cut_and_boot()?;
        self.frame1.wait_for_ssh(ANSWERS)?;
        ensure!(self.runs()? == system, "frame1 boots {}, not {system}", self.runs()?);
        Ok(())
    }
}

/// The names in a JSON list of checks.
pub fn named_checks(checks: &str) -> Result<BTreeSet<String>> {
    let checks: Vec<Value> = serde_json::from_str(checks)?;
    Ok(checks.iter().filter_map(|check| check["name"].as_str().map(str::to_owned)).collect())
}

/// The checks that have passed, from the output of `deploy --json`.
pub fn passed_checks(printed: &str) -> BTreeSet<String> {
    let passed = |line: &str| {
        let event: Value = serde_json::from_str(line).ok()?;
        let what = &event["what"];
        let passes = what["type"] == "check" && what["passes"] == true;
        passes.then(|| what["name"].as_str().map(str::to_owned))?
    };
    printed.lines().filter_map(passed).collect()
}
