//! Work of this computer on a machine: a file each, locked as long as it goes on.
//!
//! The machine does not see that a connection is lost, and what Nix began there goes on
//! waiting with its locks. Each piece of work bears a word of its own, on the machine in the
//! environment and here as a file's name. A file that nobody locks is of work whose deploy
//! is gone, so what bears that word may be ended, and nothing else may:
//! `a-killed-deploy-leaves-no-ssh-and-no-nix` proves it.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

/// The variable that the work on the machine bears.
pub const VARIABLE: &str = "DEPLOY_LEASE";

/// Work that goes on. Dropped without [`Lease::finish`], its file stays: it is not known then
/// whether anything goes on there.
#[derive(Debug)]
pub struct Lease {
    word: String,
    /// None where files cannot be kept; the work goes on without.
    file: Option<LeaseFile>,
}

#[derive(Debug)]
struct LeaseFile {
    path: PathBuf,
    /// Unlocked when it is closed, however that comes about. No child inherits it.
    _locked: File,
}

impl Lease {
    /// Begins work, with a file in `folder` that says `of` which machine and computer it is.
    pub fn begin(folder: Option<&Path>, of: &str) -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        let word: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = folder.and_then(|folder| keep(folder, &word, of).ok());
        Ok(Self { word, file })
    }

    /// The word that it bears.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// The work came to its end: nothing of it goes on.
    pub fn finish(self) {
        if let Some(kept) = self.file {
            let _ = std::fs::remove_file(kept.path);
        }
    }
}

/// The file gets its name once it is locked and whole: another deploy that finds it before
/// would take it for left behind.
fn keep(folder: &Path, word: &str, of: &str) -> io::Result<LeaseFile> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    file.write_all(of.as_bytes())?;
    let path = folder.join(word);
    let locked = file.persist(&path)?;
    Ok(LeaseFile { path, _locked: locked })
}

const UNFINISHED: &str = ".";

/// The work `of` the same whose deploys are gone. It is taken over: as long as these live, no
/// other deploy takes it for left behind.
pub fn left_behind(folder: Option<&Path>, of: &str) -> Vec<Lease> {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter_map(|path| take_over(path, of)).collect()
}

fn take_over(path: PathBuf, of: &str) -> Option<Lease> {
    let word = path.file_name()?.to_str()?.to_owned();
    // The word goes into a script.
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let file = File::open(&path).ok()?;
    // Where files cannot be locked, nobody can say that a deploy is gone.
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
