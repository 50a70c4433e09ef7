//! deploy-rs 1.0.0, as its registry has it: what the benchmark and its fault table run beside
//! `deploy`. `scripts/lib/deploy-rs.sh` makes it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::hosts::{Host, cache};

/// Its `deploy` without a look at the flake's checks, as hosts that [`install`] served have it.
pub const DEPLOY: &str = "/opt/deploy-rs/deploy --skip-checks";

/// Its part on the machine; what the lab's profiles start.
pub const ACTIVATE: &str = "/usr/local/bin/activate";

fn program(name: &str) -> Result<PathBuf> {
    Ok(cache::folder()?.join("deploy-rs-1.0.0/bin").join(name))
}

/// Why it cannot be run; none if it can.
pub fn missing() -> Option<String> {
    let made = ["deploy", "activate"].map(program);
    let there = made.iter().all(|path| path.as_ref().is_ok_and(|path| path.exists()));
    (!there).then(|| "there is no deploy-rs 1.0.0: scripts/peer-faults makes it".into())
}

/// Gives the operator its `deploy`, and a machine its `activate`.
///
/// # Errors
/// When it is not made.
pub fn install(operator: &Host, machine: &Host) -> Result<()> {
    let deploy = DEPLOY.split(' ').next().context("a program")?;
    copy("deploy", operator, deploy)?;
    copy("activate", machine, ACTIVATE)
}

fn copy(name: &str, host: &Host, target: &str) -> Result<()> {
    let (from, to) = (program(name)?, host.root().join(target.trim_start_matches('/')));
    fs::create_dir_all(to.parent().context("a program has a folder")?)?;
    fs::copy(&from, to)
        .map(drop)
        .with_context(|| format!("{}: scripts/peer-faults makes it", from.display()))
}
