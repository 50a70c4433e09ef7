//! Work of this computer on a machine. Each piece of work has a file that is locked while it goes
//! on.
//!
//! The machine does not notice a lost connection, and Nix's processes on it keep waiting with their
//! locks. Each piece of work has a random word, in the environment of its processes on the machine
//! and in the name of its local file. A file without a lock belongs to a deploy that is gone, so
//! the processes with that word may be ended, and no others:
//! `a-killed-deploy-leaves-no-ssh-and-no-nix` proves it.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

/// The environment variable with the word.
pub const VARIABLE: &str = "DEPLOY_LEASE";

/// Work in progress. If it is dropped without [`Lease::finish`], its file stays, because processes
/// may still run on the machine.
#[derive(Debug)]
pub struct Lease {
    word: String,
    /// `None` if files cannot be kept; the work goes on without one.
    file: Option<LeaseFile>,
}

#[derive(Debug)]
struct LeaseFile {
    path: PathBuf,
    /// The lock ends when the file is closed, for any reason. No child inherits it.
    _locked: File,
}

impl Lease {
    /// Begins work with a file in `folder`. `of` identifies the machine and the computer.
    pub fn begin(folder: Option<&Path>, of: &str) -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        let word: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = folder.and_then(|folder| keep(folder, &word, of).ok());
        Ok(Self { word, file })
    }

    /// The random word of this work.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// The work is complete, and no process of it is left.
    pub fn finish(self) {
        if let Some(kept) = self.file {
            let _ = std::fs::remove_file(kept.path);
        }
    }
}

/// Renames the file only once it is locked and complete. Otherwise another deploy could take it for
/// left behind.
fn keep(folder: &Path, word: &str, of: &str) -> io::Result<LeaseFile> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    file.write_all(of.as_bytes())?;
    let path = folder.join(word);
    let locked = file.persist(&path)?;
    Ok(LeaseFile { path, _locked: locked })
}

const UNFINISHED: &str = ".";

/// The work with the same `of` whose deploys are gone. It is taken over: while the returned leases
/// live, no other deploy takes it for left behind.
pub fn left_behind(folder: Option<&Path>, of: &str) -> Vec<Lease> {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter_map(|path| take_over(path, of)).collect()
}

fn take_over(path: PathBuf, of: &str) -> Option<Lease> {
    let word = path.file_name()?.to_str()?.to_owned();
    // The word is inserted into a script.
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let file = File::open(&path).ok()?;
    // If files cannot be locked, it is not known whether the deploy is gone.
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    let says = std::fs::read_to_string(&path).ok()?;
    (says == of).then_some(Lease { word, file: Some(LeaseFile { path, _locked: file }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(leases: &[Lease]) -> Vec<&str> {
        leases.iter().map(Lease::word).collect()
    }

    #[test]
    fn only_what_nobody_locks_is_left_behind() {
        let kept = tempfile::tempdir().unwrap();
        let folder = Some(kept.path());
        let gone = Lease::begin(folder, "m1").unwrap();
        let word = gone.word().to_owned();
        assert!(left_behind(folder, "m1").is_empty(), "its deploy lives");
        let lives = Lease::begin(folder, "m1").unwrap();
        drop(gone);
        assert!(left_behind(folder, "m2").is_empty(), "of another machine");
        let left = left_behind(folder, "m1");
        assert_eq!(words(&left), [&word]);
        assert!(left_behind(folder, "m1").is_empty(), "taken over");
        drop(left);
        let left = left_behind(folder, "m1");
        assert_eq!(words(&left), [&word], "what was not ended stays");
        left.into_iter().for_each(Lease::finish);
        lives.finish();
        assert_eq!(std::fs::read_dir(kept.path()).unwrap().count(), 0);
    }

    #[test]
    fn work_goes_on_where_nothing_can_be_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for folder in [None, Some(file.path())] {
            let lease = Lease::begin(folder, "m1").unwrap();
            assert_eq!(lease.word().len(), 32);
            lease.finish();
            assert!(left_behind(folder, "m1").is_empty());
        }
    }

    #[test]
    fn other_files_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x; reboot", ".hidden", "00ff"] {
            std::fs::write(folder.path().join(name), "m1").unwrap();
        }
        assert_eq!(words(&left_behind(Some(folder.path()), "m1")), ["00ff"]);
    }
}
