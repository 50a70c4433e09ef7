//! The lock of `switch-to-configuration`. That program creates the file with the default umask, so
//! on NixOS every user can open it and hold the lock. Such a user could prevent every switch and
//! every rollback.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use rustix::fs::{FlockOperation, flock, major, minor};

use crate::storage::{lock, paths::SWITCH_LOCK};

/// Whether a `switch-to-configuration` runs, which means that a process of root holds its lock. A
/// lock of another user is no switch: `a_lock_of_a_user_is_no_switch`.
pub fn runs_now() -> bool {
    let Ok(file) = File::open(SWITCH_LOCK) else { return false };
    // Taken for an instant and released by closing. A switch that begins in this instant waits, or
    // exits with 11, which is a refusal without a change.
    flock(&file, FlockOperation::NonBlockingLockShared).is_err() && is_root_s(&file)
}

/// Makes sure that only root can hold the lock of the next switch. The lock of a running switch is
/// not touched.
pub fn close_to_others() -> io::Result<()> {
    match Path::new(SWITCH_LOCK).parent() {
        Some(folder) if folder.is_dir() => lock::close_to_others(Path::new(SWITCH_LOCK), is_root_s),
        _ => Ok(()),
    }
}

/// Whether a process of root holds a lock on a file. If the kernel does not name the holder (the
/// process that took the lock is gone, and another inherited it), whether a process of root has the
/// file open.
fn is_root_s(file: &File) -> bool {
    let Ok(found) = file.metadata() else { return true };
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return true };
    let holders = holders(&locks, found.dev(), found.ino());
    let alive: Vec<&u32> = holders.iter().filter(|pid| is_alive(**pid)).collect();
    match alive.is_empty() {
        false => alive.into_iter().any(|pid| runs_as_root(*pid)),
        true => processes().any(|pid| runs_as_root(pid) && has_open(pid, &found)),
    }
}

/// The processes that hold a `flock` on a file with this device and inode; see proc_locks(5).
fn holders(locks: &str, device: u64, inode: u64) -> Vec<u32> {
    let wanted = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    let holder = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, place, ..] = words[..] else { return None };
        (place == wanted).then(|| pid.parse().ok())?
    };
    locks.lines().filter_map(holder).collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = std::process::id();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(move |pid| *pid != own)
}

fn is_alive(pid: u32) -> bool {
    pid != 0 && Path::new(&format!("/proc/{pid}")).exists()
}

/// Whether all user ids of a process are root's. A program that became root for a user keeps the
/// user's real id.
fn runs_as_root(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| is_root(&status))
}

fn is_root(status: &str) -> bool {
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.is_some_and(|ids| ids.split_whitespace().all(|id| id == "0"))
}

fn has_open(pid: u32, file: &fs::Metadata) -> bool {
    let opened = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    opened
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .any(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use rustix::fs::makedev;

    use super::*;

    const LOCKS: &str = "\
1: POSIX  ADVISORY  WRITE 700 08:01:42 0 EOF
2: FLOCK  ADVISORY  WRITE 812 08:01:42 0 EOF
2: -> FLOCK  ADVISORY  WRITE 900 08:01:42 0 EOF
3: FLOCK  ADVISORY  WRITE 813 08:01:43 0 EOF
";

    #[test]
    fn who_holds_a_lock_is_read_and_who_waits_for_it_is_not() {
        let on = |device, inode| holders(LOCKS, makedev(8, device), inode);
        assert_eq!(on(1, 42), [812]);
        assert_eq!(on(1, 43), [813]);
        assert!(on(1, 4).is_empty() && on(2, 42).is_empty());
    }

    #[test]
    fn a_lock_of_a_user_is_no_switch() {
        assert!(is_root("Name:\tperl\nUid:\t0\t0\t0\t0\nGid:\t0\n"));
        assert!(!is_root("Name:\tflock\nUid:\t65534\t65534\t65534\t65534\n"));
        // A setuid program that a user started with the file open.
        assert!(!is_root("Name:\tsu\nUid:\t1000\t0\t0\t0\n"));
        assert!(!is_root("Name:\tgone\n"));
    }

    #[test]
    fn a_process_that_has_the_file_open_is_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let found = file.as_file().metadata().unwrap();
        assert!(has_open(std::process::id(), &found));
        drop(file);
        assert!(!has_open(std::process::id(), &found));
    }
}
