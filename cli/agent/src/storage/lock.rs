//! Locks that only root can hold, and whose waits have a limit.
//!
//! `flock` works on any file that can be opened, even for reading. So a user can hold the lock of
//! any file that they can read. A lock file therefore has mode 0600. A lock file with another mode
//! (an older agent created it, and a user may hold it through a file that they opened then) is
//! replaced by a new file.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

use crate::clock::TICK;

/// How long to wait for a lock that only root can hold. Its holder writes a file to a disk that may
/// be busy. A process that was stopped holds it forever.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait for a lock that users can hold. An older agent holds it for a moment only.
const OPEN_TO_OTHERS: Duration = Duration::from_secs(2);

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes a lock, waiting for its holder. A holder that keeps it for too long loses it, because
    /// the rollback must not wait for anybody:
    /// `a_lock_that_is_held_for_ever_is_taken_all_the_same`.
    pub fn take(path: &Path) -> Result<Self> {
        take(path, PATIENCE).with_context(|| format!("cannot take the lock {}", path.display()))
    }

    /// Takes a lock; `None` while another process of root holds it.
    pub fn try_take(path: &Path) -> Result<Option<Self>> {
        let taken = match attempt(path) {
            Ok(Attempt::Taken(lock)) => Ok(Some(lock)),
            Ok(Attempt::Held(file)) if is_open_to_others(&file) => replace(path).map(Some),
            Ok(Attempt::Held(_)) => Ok(None),
            Err(error) => Err(error),
        };
        taken.with_context(|| format!("cannot take the lock {}", path.display()))
    }

    /// Whether the lock file was not replaced. A process that was stopped while it held the lock
    /// must check this before it writes.
    pub fn is_held(&self) -> bool {
        is_at(&self.file, &self.path)
    }
}

/// The result of a try to take a lock.
enum Attempt {
    Taken(Lock),
    Held(File),
}

fn take(path: &Path, patience: Duration) -> io::Result<Lock> {
    let begun = Instant::now();
    loop {
        match attempt(path)? {
            Attempt::Taken(lock) if is_open_to_others(&lock.file) => return replace(path),
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::Held(file) => {
                let open = is_open_to_others(&file);
                let limit = if open { OPEN_TO_OTHERS.min(patience) } else { patience };
                // Another process may have replaced the file just now.
                if begun.elapsed() >= limit && is_at(&file, path) {
                    eprintln!("{} was held for too long and is replaced", path.display());
                    return replace(path);
                }
            }
        }
        thread::sleep(TICK);
    }
}

fn attempt(path: &Path) -> io::Result<Attempt> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) if is_at(&file, path) => Ok(Attempt::Taken(Lock { file, path: path.to_owned() })),
        Ok(()) | Err(rustix::io::Errno::WOULDBLOCK) => Ok(Attempt::Held(file)),
        Err(error) => Err(error.into()),
    }
}

/// Replaces the lock file by a new one that is already locked.
fn replace(path: &Path) -> io::Result<Lock> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.new", std::process::id()));
    // The temporary file of a killed process with the same id.
    let _ = fs::remove_file(&temporary);
    let file =
        OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&temporary)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    fs::rename(&temporary, path)?;
    Ok(Lock { file, path: path.to_owned() })
}

fn is_open_to_others(file: &File) -> bool {
    file.metadata().is_ok_and(|found| {
        found.mode() & 0o077 != 0 || found.uid() != rustix::process::geteuid().as_raw()
    })
}

fn is_at(file: &File, path: &Path) -> bool {
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => place(ours) == place(there),
        _ => false,
    }
}

/// Replaces another program's lock file that users can open, unless `keeps` says that its holder
/// keeps it. The program opens the new file with its restricted mode.
pub fn close_to_others(path: &Path, keeps: impl FnOnce(&File) -> bool) -> io::Result<()> {
    match attempt(path)? {
        Attempt::Taken(lock) if !is_open_to_others(&lock.file) => Ok(()),
        Attempt::Held(file) if keeps(&file) => Ok(()),
        _ => replace(path).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(path: &Path, mode: u32) -> File {
        let file = File::create(path).unwrap();
        file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
        flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
        file
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_lock_that_anybody_could_open_is_taken_from_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let _other = held(&path, 0o644);
        let begun = Instant::now();
        let lock = Lock::take(&path).unwrap();
        assert!(begun.elapsed() < PATIENCE / 2 && lock.is_held());
        assert_eq!(mode(&path), 0o600);
        assert!(Lock::try_take(&path).unwrap().is_none(), "it is held twice");
    }

    #[test]
    fn a_lock_that_is_held_for_ever_is_taken_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let stopped = attempt(&path).unwrap();
        let Attempt::Taken(stopped) = stopped else { panic!("it is free") };
        let lock = take(&path, Duration::from_millis(100)).unwrap();
        assert!(lock.is_held() && !stopped.is_held(), "who was stopped may write on");
    }

    #[test]
    fn a_try_takes_a_lock_from_everybody_but_root() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stage.lock");
        let other = held(&path, 0o600);
        assert!(Lock::try_take(&path).unwrap().is_none());
        other.set_permissions(fs::Permissions::from_mode(0o664)).unwrap();
        assert!(Lock::try_take(&path).unwrap().is_some());
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn one_that_nobody_has_is_closed_to_others_before_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        drop(held(&path, 0o666));
        // Opened before the file was replaced.
        let other = File::open(&path).unwrap();
        let _lock = Lock::take(&path).unwrap();
        flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none(), "the other one has the lock");
    }

    #[test]
    fn another_program_s_lock_is_left_to_who_is_to_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("switch.lock");
        let other = held(&path, 0o644);
        close_to_others(&path, |_| true).unwrap();
        assert!(is_at(&other, &path));
        close_to_others(&path, |_| false).unwrap();
        assert!(!is_at(&other, &path));
        assert_eq!(mode(&path), 0o600);
    }
}
