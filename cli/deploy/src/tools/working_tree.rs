//! Whether a working tree of git was changed meanwhile, by the times that the file system keeps.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a change must be over. A file system's clock is that coarse, and a second change at the
/// same tick would leave the same times.
const TICK: Duration = Duration::from_millis(50);

/// The same for a file system that keeps whole seconds.
const SECONDS: Duration = Duration::from_secs(2);

/// How many files are looked at. A larger tree is not followed.
const MOST: usize = 100_000;

/// The files of a working tree at one moment, with git's own that say which files they are.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    files: Vec<(PathBuf, Option<Stamp>)>,
}

/// What changes with every change of a file. A program can set `modified` back, but not `changed`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    size: u64,
    mode: u32,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Snapshot {
    /// The files below `folder` that its copy in the store has, and git's index and head. `None` if
    /// they cannot be followed: no git, too many files, or a clock that is behind theirs.
    pub async fn take(folder: &Path, copy: &Path) -> Option<Self> {
        let first = Self::read(folder, copy).ok()?;
        let age = first.age()?;
        if age >= first.tick() {
            return Some(first);
        }
        if first.tick() > TICK {
            return None;
        }
        tokio::time::sleep(TICK - age).await;
        let second = Self::read(folder, copy).ok()?;
        second.age().filter(|age| *age >= TICK).map(|_| second)
    }

    /// Whether nothing was changed since.
    pub fn still_holds(&self) -> bool {
        self.files.iter().all(|(file, stamp)| Stamp::of(file).ok().as_ref() == Some(stamp))
    }

    fn read(folder: &Path, copy: &Path) -> io::Result<Self> {
        let mut names = Vec::new();
        list(copy, Path::new(""), &mut names)?;
        let git = git_folder(folder)?;
        let own = ["index", "HEAD", "logs/HEAD"].map(|name| git.join(name));
        let files = names.into_iter().map(|name| folder.join(name)).chain(own);
        let files = files.map(|file| Stamp::of(&file).map(|stamp| (file, stamp)));
        Ok(Self { files: files.collect::<io::Result<_>>()? })
    }

    fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        self.files.iter().filter_map(|(_, stamp)| stamp.as_ref())
    }

    /// The time since the last change. `None` if that is in the future.
    fn age(&self) -> Option<Duration> {
        let (seconds, nanoseconds) = self.stamps().map(|stamp| stamp.changed).max()?;
        let last = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
        SystemTime::now().duration_since(UNIX_EPOCH + last).ok()
    }

    fn tick(&self) -> Duration {
        if self.stamps().all(|stamp| stamp.changed.1 == 0) { SECONDS } else { TICK }
    }
}

impl Stamp {
    /// The stamp of a file; `None` if it does not exist.
    fn of(file: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(file) {
            Ok(of) => Ok(Some(Self::read(&of))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(of: &Metadata) -> Self {
        Self {
            inode: (of.dev(), of.ino()),
            size: of.size(),
            mode: of.mode(),
            modified: (of.mtime(), of.mtime_nsec()),
            changed: (of.ctime(), of.ctime_nsec()),
        }
    }
}

/// Adds the files below `root`, by their paths in it.
fn list(root: &Path, below: &Path, names: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(root, &name, names)?;
        } else if names.len() < MOST {
            names.push(name);
        } else {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    Ok(())
}

/// Git's own folder. In a worktree, `.git` is a file that names it.
fn git_folder(folder: &Path) -> io::Result<PathBuf> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Ok(git);
    }
    let text = fs::read_to_string(git)?;
    let named = text.strip_prefix("gitdir: ").ok_or(io::ErrorKind::InvalidData)?;
    Ok(folder.join(named.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A working tree with `a` and `b/c`, and its copy.
    fn tree() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (work, copy) = (folder.path().join("work"), folder.path().join("copy"));
        for root in [&work, &copy] {
            fs::create_dir_all(root.join("b")).unwrap();
            fs::write(root.join("a"), "one").unwrap();
            fs::write(root.join("b/c"), "two").unwrap();
        }
        fs::create_dir(work.join(".git")).unwrap();
        fs::write(work.join(".git/index"), "").unwrap();
        fs::write(work.join(".git/HEAD"), "").unwrap();
        (folder, work, copy)
    }

    #[tokio::test]
    async fn a_file_that_was_changed_and_changed_back_is_noticed() {
        let (_folder, work, copy) = tree();
        let before = Snapshot::take(&work, &copy).await.unwrap();
        assert!(before.still_holds());
        // What git does not know is not part of the tree.
        fs::write(work.join("unknown"), "").unwrap();
        assert!(before.still_holds());
        let changes: [fn(&Path) -> io::Result<()>; 3] = [
            |work| fs::write(work.join("a"), "one"),
            |work| fs::write(work.join(".git/index"), "a file more"),
            |work| fs::rename(work.join("b/c"), work.join("b/d")),
        ];
        for change in changes {
            let before = Snapshot::take(&work, &copy).await.unwrap();
            let modified = fs::metadata(work.join("a")).unwrap().modified().unwrap();
            change(&work).unwrap();
            let a = fs::File::options().write(true).open(work.join("a")).unwrap();
            a.set_modified(modified).unwrap();
            assert!(!before.still_holds());
        }
    }

    #[tokio::test]
    async fn a_change_of_this_moment_is_waited_for_and_one_of_the_future_is_not_followed() {
        let (_folder, work, copy) = tree();
        fs::write(work.join("a"), "two").unwrap();
        let taken = Snapshot::take(&work, &copy).await.unwrap();
        assert!(taken.age().unwrap() >= TICK);
        let mut later = taken;
        let ahead = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 60;
        later.files[0].1.as_mut().unwrap().changed.0 = ahead.try_into().unwrap();
        assert_eq!(later.age(), None);
    }

    #[tokio::test]
    async fn a_worktree_has_its_index_elsewhere() {
        let (folder, work, copy) = tree();
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(work.join(".git"), &elsewhere).unwrap();
        fs::write(work.join(".git"), format!("gitdir: {}\n", elsewhere.display())).unwrap();
        let before = Snapshot::take(&work, &copy).await.unwrap();
        fs::write(elsewhere.join("index"), "a file more").unwrap();
        assert!(!before.still_holds());
        fs::remove_file(work.join(".git")).unwrap();
        assert_eq!(Snapshot::take(&work, &copy).await, None, "without git");
    }
}
