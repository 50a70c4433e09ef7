//! Roots against garbage collection: direct links, made before the paths are
//! checked to be valid, dropped when the attempt is over.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use deploy_wire::{
    attempt::AttemptId, outcome::BootDefault, record::ProfileChange, store_path::StorePath,
};

use crate::storage::{files, paths::ROOTS};

/// What an attempt keeps.
pub struct RootTargets<'a> {
    /// What runs.
    pub old: &'a StorePath,
    /// What is wanted.
    pub new: &'a StorePath,
    /// The agent.
    pub agent: &'a StorePath,
    /// What boots.
    pub boots: &'a BootDefault,
    /// Profiles besides the system, each with what it names and what is wanted.
    pub profiles: &'a [ProfileChange],
}

fn path(attempt: &AttemptId, name: &str) -> PathBuf {
    Path::new(ROOTS).join(format!("{attempt}-{name}"))
}

/// Makes the roots of an attempt.
pub fn make(attempt: &AttemptId, kept: &RootTargets<'_>) -> Result<()> {
    link(&path(attempt, "old"), kept.old)?;
    link(&path(attempt, "new"), kept.new)?;
    link(&path(attempt, "agent"), kept.agent)?;
    if let Some(boots) = kept.boots.known() {
        link(&path(attempt, "boot-default"), boots)?;
    }
    for (index, profile) in kept.profiles.iter().enumerate() {
        link(&path(attempt, &format!("profile-{index}-new")), &profile.wanted)?;
        if let Some(before) = &profile.before.path {
            link(&path(attempt, &format!("profile-{index}-old")), before)?;
        }
    }
    Ok(())
}

/// The roots that an attempt has.
fn of(attempt: &AttemptId) -> Vec<PathBuf> {
    let own = format!("{attempt}-");
    let all = fs::read_dir(ROOTS).into_iter().flatten().flatten();
    all.filter(|entry| entry.file_name().to_string_lossy().starts_with(&own))
        .map(|entry| entry.path())
        .collect()
}

/// Drops the roots of an attempt.
pub fn drop_all(attempt: &AttemptId) -> Result<()> {
    for path in of(attempt) {
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

/// Drops what an agent that was killed while it staged left behind. Only for who
/// has the machine, while no attempt is open.
pub fn drop_strays() -> Result<()> {
    for entry in fs::read_dir(ROOTS).into_iter().flatten().flatten() {
        if entry.file_name() != "agent" {
            let path = entry.path();
            fs::remove_file(&path)
                .with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    Ok(())
}

/// Keeps an agent beyond its attempt, for the next one and for the console.
pub fn keep_agent(agent: &StorePath) -> Result<()> {
    link(&Path::new(ROOTS).join("agent"), agent)
}

/// A link that names its target from one moment to the next, durably.
fn link(path: &Path, target: &StorePath) -> Result<()> {
    let folder = Path::new(ROOTS);
    // Nix reads the roots as whoever asks it.
    files::public_folder(folder)?;
    let make = || -> io::Result<()> {
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
    !of(attempt).is_empty()
}
