//! Waiting for changes that other processes make to kept files: the record, a step's status.

use std::{os::fd::OwnedFd, path::Path, thread, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify::{CreateFlags, WatchFlags, add_watch, init},
    io::read,
};

use crate::clock::TICK;

/// The longest time for which a change goes unnoticed if the kernel does not report it.
const LONGEST: Duration = Duration::from_secs(1);

/// The pause after a change. A switch that prints a thousand lines at once must not make its readers
/// read the record a thousand times.
const BURST: Duration = Duration::from_millis(2);

/// A watch on the files of some folders. It begins when the value is made: a change between then and
/// a wait ends that wait.
pub struct Changes {
    /// `None` if the kernel allows no further watch.
    told: Option<OwnedFd>,
}

impl Changes {
    /// Watches the files directly in `folders`.
    pub fn of(folders: &[&Path]) -> Self {
        let watched = || {
            let told = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            for folder in folders {
                add_watch(&told, *folder, WatchFlags::MOVED_TO | WatchFlags::MODIFY)?;
            }
            Ok::<_, rustix::io::Errno>(told)
        };
        Self { told: watched().ok() }
    }

    /// Waits for a change, at most `most`. Without a watch it returns after [`TICK`], because a deploy
    /// waits for such a change a dozen times.
    pub fn wait(&self, most: Duration) {
        let most = most.min(LONGEST);
        let Some(told) = &self.told else {
            thread::sleep(most.min(TICK));
            return;
        };
        let limit = Timespec::try_from(most);
        let mut wanted = [PollFd::new(told, PollFlags::IN)];
        // A signal ends the wait early, which costs one look too many.
        if poll(&mut wanted, limit.as_ref().ok()) == Ok(0) {
            return;
        }
        thread::sleep(BURST);
        let mut changes = [0; 4096];
        while read(told, &mut changes).is_ok_and(|bytes| bytes > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_millis(900);

    fn waited(changes: &Changes) -> Duration {
        let begun = Instant::now();
        changes.wait(LONG);
        begun.elapsed()
    }

    #[test]
    fn a_change_after_the_look_ends_the_wait() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("record");
        std::fs::write(&file, "1").unwrap();
        let changes = Changes::of(&[folder.path()]);
        std::fs::write(folder.path().join("new"), "2").unwrap();
        assert!(waited(&changes) < LONG / 2, "a file was written");
        assert!(waited(&changes) >= LONG, "it was told twice");
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        assert!(waited(&changes) < LONG / 2, "a file was replaced");
        std::fs::OpenOptions::new()
            .append(true)
            .open(&file)
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"3"))
            .unwrap();
        assert!(waited(&changes) < LONG / 2, "a line was added");
    }

    #[test]
    fn what_cannot_be_watched_is_looked_at_often() {
        let changes = Changes::of(&[Path::new("/no/such/folder")]);
        assert!(waited(&changes) < LONG / 2);
    }
}
