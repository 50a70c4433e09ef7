//! A lab leaves nothing behind.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Lab, supervisor, wait};
use deploy_lab::systems::PAIR;

use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[Scenario::new("a-killed-supervisor-leaves-nothing", killed)];

/// A duration that no other process on this machine sleeps for.
const SLEEP: &str = "98765.4321";

/// Starts a lab inside of this one, kills its supervisor, and looks for leftovers here, where all
/// its processes and mounts are visible.
fn killed(_: &mut Lab) -> Result<()> {
    PAIR.ensure()?;
    let mut owner = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["run", "--host", "mac", "--on", "mac", "--", "sleep", SLEEP])
        .stdin(Stdio::null())
        .spawn()?;
    let deadline = wait::PATIENCE;
    wait::until("the inner lab's host runs its command", deadline, || Ok(!sleepers()?.is_empty()))?;
    let cgroup = fs::read_to_string(format!("/proc/{}/cgroup", sleepers()?[0]))?;
    let name = cgroup
        .split('/')
        .find(|part| part.starts_with("deploy-lab-"))
        .context("the command is in no lab's cgroup")?
        .to_owned();
    ensure!(!loops(&name)?.is_empty(), "the inner lab has no disks");

    owner.kill()?;
    owner.wait()?;
    wait::until("no process is left", deadline, || Ok(sleepers()?.is_empty()))?;
    wait::until("no disk is left", deadline, || Ok(loops(&name)?.is_empty()))?;
    // Only the folder is left, until another lab starts.
    drop(supervisor::sweep()?);
    ensure!(!supervisor::labs()?.iter().any(|lab| lab.ends_with(&name)), "it is not swept");
    Ok(())
}

/// The processes that sleep for [`SLEEP`], by their ids in this lab.
fn sleepers() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let line = fs::read_to_string(path.join("cmdline")).unwrap_or_default();
        if line.starts_with("sleep\0") && line.contains(SLEEP) {
            found.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    Ok(found)
}

/// The machine's loop devices with a file of the lab `name`.
fn loops(name: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/block")? {
        let path = entry?.path().join("loop/backing_file");
        if fs::read_to_string(&path).unwrap_or_default().contains(name) {
            found.push(path);
        }
    }
    Ok(found)
}
