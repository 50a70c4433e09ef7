//! Nix on the machine: `nix-store`, `nix-env`, `nix-daemon`.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, bail};
use deploy_wire::store_path::StorePath;

use super::process::{self, Ran};
use crate::paths::PROFILE;

const LIMIT: Duration = Duration::from_secs(120);

fn nix(program: &str, arguments: &[&str]) -> Result<Ran> {
    let mut command = Command::new(process::find(program, &[]));
    Ok(process::run(command.args(arguments), LIMIT)?)
}

/// Checks that paths and all that they need are valid in the store. The inner
/// error is what is missing, in Nix's words.
pub fn closures_are_valid(paths: &[&StorePath]) -> Result<Result<(), String>> {
    let mut arguments = vec!["--query", "--requisites"];
    arguments.extend(paths.iter().map(|path| path.as_str()));
    let ran = nix("nix-store", &arguments)?;
    if !ran.succeeded() {
        return Ok(Err(ran.last_words().to_owned()));
    }
    // In portions: a command line has a limit, a closure has none.
    let paths: Vec<&str> = ran.out.lines().collect();
    for portion in paths.chunks(500) {
        let mut arguments = vec!["--check-validity"];
        arguments.extend(portion);
        let ran = nix("nix-store", &arguments)?;
        if !ran.succeeded() {
            return Ok(Err(ran.last_words().to_owned()));
        }
    }
    Ok(Ok(()))
}

fn nix_env(arguments: &[&str]) -> Result<()> {
    let mut all = vec!["--profile", PROFILE];
    all.extend(arguments);
    let ran = nix("nix-env", &all)?;
    if !ran.succeeded() {
        bail!("nix-env {} failed: {}", arguments.join(" "), ran.last_words());
    }
    Ok(())
}

/// Points the system profile to a toplevel; a generation of its own, unless the
/// present one is that toplevel already.
pub fn set_profile(toplevel: &StorePath) -> Result<()> {
    nix_env(&["--set", toplevel.as_str()])
}

/// Points the system profile to a generation that exists.
pub fn switch_profile(generation: u64) -> Result<()> {
    nix_env(&["--switch-generation", &generation.to_string()])
}

/// Deletes one generation of the system profile.
pub fn delete_generation(generation: u64) -> Result<()> {
    nix_env(&["--delete-generations", &generation.to_string()])
}

/// Runs `nix-daemon --stdio` on this process's own stdin and stdout to its end.
pub fn daemon() -> Result<()> {
    let status = Command::new(process::find("nix-daemon", &[])).arg("--stdio").status();
    let status = status.context("nix-daemon cannot be started")?;
    if !status.success() {
        bail!("nix-daemon: {status}");
    }
    Ok(())
}
