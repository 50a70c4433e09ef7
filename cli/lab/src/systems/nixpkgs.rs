//! Stand-ins for nixpkgs on an operator's computer: copies from the inputs folder, with the agent
//! under test.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::files;
use super::fleet::write_here;
use crate::hosts::{Host, cache, process, programs};

/// A folder of the inputs folder. It does not exist on every machine.
///
/// # Errors
/// When there is no cache.
pub fn input(name: &str) -> Result<PathBuf> {
    Ok(cache::folder()?.join("inputs").join(name))
}

/// Copies the input `name` to `folder` on `operator`, unless it exists.
pub(super) fn copy_input(operator: &Host, name: &str, folder: &str) -> Result<PathBuf> {
    let target = operator.root().join(folder.trim_start_matches('/'));
    if !target.exists() {
        let mut copy = Command::new("cp");
        copy.args(["--recursive", "--no-target-directory"]);
        process::run(copy.arg(input(name)?).arg(&target))?;
    }
    Ok(target)
}

/// Like [`copy_input`], with an overlay that has the agent under test.
pub(super) fn copy_with_agent(operator: &Host, name: &str, folder: &str) -> Result<PathBuf> {
    let target = copy_input(operator, name, folder)?;
    write_here(&target, files::overlay())?;
    programs::copy_agent(&target.join("lab/deploy-agent"))?;
    Ok(target)
}

/// Makes Nix build as root on `operator`: a stub package writes to a folder that it has made
/// read-only.
pub(super) fn build_as_root(operator: &Host) -> Result<()> {
    let line = "build-users-group =";
    let path = "/etc/nix/nix.conf";
    let text = operator.read(path)?;
    if !text.lines().any(|each| each == line) {
        fs::write(operator.root().join(&path[1..]), format!("{text}{line}\n"))?;
    }
    Ok(())
}
