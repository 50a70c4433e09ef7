//! Garbage collector roots. They are direct links, created before the paths are checked to be valid
//! and dropped when the attempt has ended.

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

/// The paths that an attempt protects.
pub struct RootTargets<'a> {
    /// The running system.
    pub old: &'a StorePath,
    /// The wanted system.
    pub new: &'a StorePath,
    pub agent: &'a StorePath,
    pub boots: &'a BootDefault,
    /// The profiles besides the system, each with its present and its wanted path.
    pub profiles: &'a [ProfileChange],
}

fn path(attempt: &AttemptId, name: &str) -> PathBuf {
    Path::new(ROOTS).join(format!("{attempt}-{name}"))
}

/// Creates the roots of an attempt.
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

/// The paths of an attempt's roots.
fn of(attempt: &AttemptId) -> Vec<PathBuf> {
    let own = format!("{attempt}-");
    let all = fs::read_dir(ROOTS).into_iter().flatten().flatten();
    all.filter(|entry| entry.file_name().to_string_lossy().starts_with(&own))
        .map(|entry| entry.path())
        .collect()
}

pub fn drop_all(attempt: &AttemptId) -> Result<()> {
    for path in of(attempt) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} cannot be removed", path.display()));
            }
            _ => {}
        }
    }
    // Succeeds only if the folder is empty, as after a refusal on a machine without an agent.
    let _ = fs::remove_dir(ROOTS);
    Ok(())
}

/// Drops the roots that an agent left behind when it was killed during `stage`. The caller must
/// hold the machine's lock, with no open attempt.
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

/// Keeps an agent after its attempt, for the next attempt and for the console.
pub fn keep_agent(agent: &StorePath) -> Result<()> {
    link(&Path::new(ROOTS).join("agent"), agent)
}

/// Creates or replaces a link atomically and durably.
fn link(path: &Path, target: &StorePath) -> Result<()> {
    let folder = Path::new(ROOTS);
    // Nix reads the roots as the user who asks.
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

pub fn are_left(attempt: &AttemptId) -> bool {
    !of(attempt).is_empty()
}
