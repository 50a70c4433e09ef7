//! deploy-rs 1.0.0 as published on crates.io. The benchmark and the fault table compare `deploy`
//! with it. `scripts/lib/deploy-rs.sh` builds it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::hosts::{Host, cache};

/// The path of deploy-rs's `deploy` on hosts prepared by [`install`], with the flag that skips the
/// flake's checks.
pub const DEPLOY: &str = "/opt/deploy-rs/deploy --skip-checks";

/// The path of deploy-rs's program on the machine; the lab's profiles run it.
pub const ACTIVATE: &str = "/usr/local/bin/activate";

fn program(name: &str) -> Result<PathBuf> {
    Ok(cache::folder()?.join("deploy-rs-1.0.0/bin").join(name))
}

/// Why deploy-rs cannot be run; `None` if it can.
pub fn missing() -> Option<String> {
    let made = ["deploy", "activate"].map(program);
    let there = made.iter().all(|path| path.as_ref().is_ok_and(|path| path.exists()));
    (!there).then(|| "there is no deploy-rs 1.0.0: scripts/peer-faults makes it".into())
}

/// Installs deploy-rs's `deploy` on the operator's computer and its `activate` on the machine.
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
