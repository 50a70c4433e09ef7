//! The files of what has come.
//!
//! There are two at most: the one that the last push left, and the one that grows while its path
//! comes again. A push that ends well removes both.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use deploy_wire::store_path::StorePath;
use rustix::fs::statvfs;
use serde::{Deserialize, Serialize};

use crate::storage::{files, lock::Lock, paths::PARTIAL};

/// The smallest path that is kept, in bytes: at 50 Mbit/s it takes ten seconds.
const LEAST: u64 = 64 << 20;

/// What is kept of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    pub path: StorePath,
    pub references: Vec<StorePath>,
    /// The file with the first bytes of its archive.
    pub file: PathBuf,
    /// How many.
    pub length: u64,
}

/// What is known of it before its bytes come.
#[derive(Debug, Serialize, Deserialize)]
struct Description {
    path: StorePath,
    references: Vec<StorePath>,
}

/// What one push keeps. Nothing is kept before [`Self::open`], and nothing while another push does.
pub struct Keeper {
    folder: PathBuf,
    least: u64,
    state: Mutex<State>,
}

/// Whether paths are kept.
#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    /// From the first one that is large enough. Before it there may be no folder.
    Open,
    /// The folder is this push's.
    Locked { _lock: Lock },
}

impl Keeper {
    pub fn new() -> Self {
        Self::of(PARTIAL.into(), LEAST)
    }

    fn of(folder: PathBuf, least: u64) -> Self {
        Self { folder, least, state: Mutex::default() }
    }

    /// From now on paths are kept, if that is possible. A push does not fail by it.
    pub fn open(&self) {
        let mut state = self.state();
        if matches!(*state, State::Closed) {
            *state = State::Open;
            if self.folder.exists() {
                self.take(&mut state);
            }
        }
    }

    /// Makes the folder this push's, unless it is another one's.
    fn take(&self, state: &mut State) {
        let locked = files::private_folder(&self.folder)
            .and_then(|()| Lock::try_take(&self.folder.join("lock")));
        match locked {
            Ok(Some(lock)) => {
                *state = State::Locked { _lock: lock };
                self.adopt();
            }
            Ok(None) => {}
            Err(error) => {
                eprintln!("deploy-agent: nothing of this push is kept for the next: {error:#}");
                *state = State::Closed;
            }
        }
    }

    /// What grew during the last push becomes what it left, unless that has more of the same path.
    fn adopt(&self) {
        let Some(new) = self.read("receiving") else { return self.remove("receiving") };
        let old = self.read("left");
        if old.is_some_and(|old| old.path == new.path && old.length >= new.length) {
            return self.remove("receiving");
        }
        for kind in ["json", "nar"] {
            let _ = fs::rename(self.file("receiving", kind), self.file("left", kind));
        }
    }

    /// What the last push left.
    pub fn left(&self) -> Option<Partial> {
        self.is_locked().then(|| self.read("left")).flatten()
    }

    /// Begins to keep a path whose archive has so many bytes, if it is worth it and there is room for
    /// it beside the path itself.
    pub fn begin(
        &self,
        path: &StorePath,
        references: &[StorePath],
        length: u64,
    ) -> Option<Receiving<'_>> {
        if length < self.least {
            return None;
        }
        let mut state = self.state();
        if matches!(*state, State::Open) {
            self.take(&mut state);
        }
        if !matches!(*state, State::Locked { .. }) {
            return None;
        }
        let disk = statvfs(&self.folder).ok()?;
        if disk.f_bavail * disk.f_frsize / 2 <= length {
            return None;
        }
        let description = Description { path: path.clone(), references: references.to_vec() };
        files::write_json(&self.file("receiving", "json"), &description).ok()?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let file = files::create_private(&mut options, &self.file("receiving", "nar")).ok()?;
        Some(Receiving { keeper: self, path: path.clone(), file: Some(file) })
    }

    /// Removes everything, after a push that needs none of it any more.
    pub fn clear(&self) {
        if self.is_locked() {
            self.remove("receiving");
            self.remove("left");
        }
    }

    fn read(&self, name: &str) -> Option<Partial> {
        let Description { path, references } =
            files::read_json(&self.file(name, "json")).ok().flatten()?;
        let file = self.file(name, "nar");
        let length = fs::metadata(&file).ok()?.len();
        (length > 0).then_some(Partial { path, references, file, length })
    }

    fn remove(&self, name: &str) {
        for kind in ["json", "nar"] {
            let _ = fs::remove_file(self.file(name, kind));
        }
    }

    fn file(&self, name: &str, kind: &str) -> PathBuf {
        Path::new(&self.folder).join(name).with_extension(kind)
    }

    fn is_locked(&self) -> bool {
        matches!(*self.state(), State::Locked { .. })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A path that is being kept.
pub struct Receiving<'k> {
    keeper: &'k Keeper,
    path: StorePath,
    file: Option<File>,
}

impl Receiving<'_> {
    /// Keeps the next bytes. A disk that has no room for them has more need of it for the path.
    pub fn add(&mut self, bytes: &[u8]) {
        let kept = self.file.as_mut().is_none_or(|file| file.write_all(bytes).is_ok());
        if !kept {
            self.file = None;
            self.keeper.remove("receiving");
        }
    }

    /// Ends it: all of the path has come, also what an earlier push left of it.
    pub fn end(self) {
        self.keeper.remove("receiving");
        if self.keeper.read("left").is_some_and(|left| left.path == self.path) {
            self.keeper.remove("left");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> StorePath {
        StorePath::parse(&format!("/nix/store/{}-{name}", "0".repeat(32))).unwrap()
    }

    fn keeper(folder: &Path) -> Keeper {
        let keeper = Keeper::of(folder.join("partial"), 4);
        keeper.open();
        keeper
    }

    /// A push of this path that is cut off after these bytes.
    fn cut(folder: &Path, name: &str, bytes: &[u8]) {
        let keeper = keeper(folder);
        let mut receiving = keeper.begin(&path(name), &[path("b")], 100).unwrap();
        receiving.add(bytes);
    }

    fn left(folder: &Path) -> Option<(String, Vec<u8>)> {
        let left = keeper(folder).left()?;
        assert_eq!(left.references, [path("b")]);
        let bytes = fs::read(&left.file).unwrap();
        assert_eq!(bytes.len() as u64, left.length);
        Some((left.path.name().to_owned(), bytes))
    }

    #[test]
    fn what_came_before_the_cut_is_there_for_the_next_push() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(left(folder.path()), None);
        cut(folder.path(), "a", b"12345");
        assert_eq!(left(folder.path()), Some(("a".into(), b"12345".into())));
        // The next one comes less far.
        cut(folder.path(), "a", b"123");
        assert_eq!(left(folder.path()), Some(("a".into(), b"12345".into())));
        cut(folder.path(), "a", b"1234567");
        assert_eq!(left(folder.path()), Some(("a".into(), b"1234567".into())));
        // Another path takes its place.
        cut(folder.path(), "c", b"1");
        assert_eq!(left(folder.path()), Some(("c".into(), b"1".into())));
    }

    #[test]
    fn nothing_is_left_of_a_path_that_came_whole_or_of_a_push_that_ended_well() {
        let folder = tempfile::tempdir().unwrap();
        let all = keeper(folder.path());
        let mut receiving = all.begin(&path("a"), &[path("b")], 100).unwrap();
        receiving.add(b"whole");
        receiving.end();
        drop(all);
        assert_eq!(left(folder.path()), None);
        cut(folder.path(), "a", b"12345");
        keeper(folder.path()).clear();
        assert_eq!(left(folder.path()), None);
        // The push goes on with other paths, and is cut off there.
        cut(folder.path(), "a", b"12345");
        keeper(folder.path()).begin(&path("c"), &[], 100).unwrap().end();
        assert!(left(folder.path()).is_some());
        keeper(folder.path()).begin(&path("a"), &[], 100).unwrap().end();
        assert_eq!(left(folder.path()), None);
    }

    #[test]
    fn what_is_small_too_large_for_the_disk_or_beside_another_push_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = keeper(folder.path());
        assert!(first.begin(&path("a"), &[], 3).is_none());
        assert!(first.begin(&path("a"), &[], u64::MAX).is_none());
        let second = keeper(folder.path());
        assert!(second.begin(&path("a"), &[], 100).is_none());
        let unopened = Keeper::of(folder.path().join("other"), 4);
        assert!(unopened.begin(&path("a"), &[], 100).is_none());
        unopened.open();
        assert!(unopened.begin(&path("a"), &[], 3).is_none());
        unopened.clear();
        assert!(!folder.path().join("other").exists(), "a push of small paths leaves nothing");
    }

    /// A power cut can leave any bytes in the files.
    #[test]
    fn torn_files_are_nothing() {
        let folder = tempfile::tempdir().unwrap();
        cut(folder.path(), "a", b"12345");
        let at = |name: &str| folder.path().join("partial").join(name);
        fs::write(at("receiving.json"), "{").unwrap();
        assert_eq!(left(folder.path()), None);
        assert!(!at("receiving.nar").exists());
        cut(folder.path(), "a", b"");
        assert_eq!(left(folder.path()), None);
    }
}
