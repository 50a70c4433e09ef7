//! `journalctl`.

use std::{process::Command, time::Duration};

use anyhow::{Result, bail};

use super::process;

const LIMIT: Duration = Duration::from_secs(60);

/// What the journal has of units, oldest first.
pub fn of_units(units: &[String]) -> Result<Vec<String>> {
    let mut command = Command::new(process::find("journalctl", &[]));
    command.args(["--no-pager", "--quiet", "--output=short-iso"]);
    for unit in units {
        command.args(["--unit", unit]);
    }
    let ran = process::run(&mut command, LIMIT)?;
    if !ran.succeeded() {
        bail!("journalctl failed: {}", ran.last_words());
    }
    Ok(ran.out.lines().map(Into::into).collect())
}
