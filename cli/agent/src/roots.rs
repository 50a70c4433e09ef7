//! Roots against garbage collection: direct links, made before the paths are
//! checked to be valid, dropped when the attempt is over.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use deploy_wire::{attempt::AttemptId, outcome::BootDefault, store_path::StorePath};

use crate::paths::ROOTS;

/// What an attempt keeps.
pub struct Kept<'a> {
    /// What runs.
    pub old: &'a StorePath,
    /// What is wanted.
    pub new: &'a StorePath,
    /// The agent.
    pub agent: &'a StorePath,
    /// What boots.
    pub boots: &'a BootDefault,
}

const NAMES: [&str; 4] = ["old", "new", "agent", "boot-default"];

fn path(attempt: &AttemptId, name: &str) -> PathBuf {
    Path::new(ROOTS).join(format!("{attempt}-{name}"))
}

/// Makes the roots of an attempt.
pub fn make(attempt: &AttemptId, kept: &Kept<'_>) -> Result<()> {
    link(&path(attempt, "old"), kept.old)?;
    link(&path(attempt, "new"), kept.new)?;
    link(&path(attempt, "agent"), kept.agent)?;
    if let Some(boots) = kept.boots.known() {
        link(&path(attempt, "boot-default"), boots)?;
    }
    Ok(())
}

/// Drops the roots of an attempt.
pub fn drop_all(attempt: &AttemptId) -> Result<()> {
    for name in NAMES {
        let path = path(attempt, name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} cannot be removed", path.display()));
            }
            _ => {}
        }
    }
    // Goes only if it is empty: after a refusal on a machine without an agent.
    let _ = fs::remove_dir(ROOTS);
    Ok(())
}

/// Keeps an agent beyond its attempt, for the next one and for the console.
pub fn keep_agent(agent: &StorePath) -> Result<()> {
    link(&Path::new(ROOTS).join("agent"), agent)
}

/// A link that names its target from one moment to the next, durably.
fn link(path: &Path, target: &StorePath) -> Result<()> {
    let folder = Path::new(ROOTS);
    let make = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let temporary = path.with_extension("new");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        symlink(target.as_str(), &temporary)?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    };
    make().with_context(|| format!("the root {} cannot be made", path.display()))
}

/// Whether an attempt still has roots.
pub fn are_left(attempt: &AttemptId) -> bool {
    NAMES.iter().any(|name| path(attempt, name).symlink_metadata().is_ok())
}
