//! The lock of `switch-to-configuration`. It makes the file as the umask says, so that on NixOS
//! every user can open it, and hold it: such a one would keep the machine from being switched,
//! and from going back.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use rustix::fs::{FlockOperation, flock, major, minor};

use crate::storage::{lock, paths::SWITCH_LOCK};

/// Whether some `switch-to-configuration` runs: a process of root holds its lock. One of
/// another user is no switch: `a_lock_of_a_user_is_no_switch`.
pub fn runs_now() -> bool {
    let Ok(file) = File::open(SWITCH_LOCK) else { return false };
    // Taken for an instant and given back by closing; a switch that begins in
    // this instant waits or ends with 11, which is a refusal without change.
    flock(&file, FlockOperation::NonBlockingLockShared).is_err() && is_root_s(&file)
}

/// Sees to it that nobody but root can hold the lock that the next switch takes. What a switch
/// holds that runs is left to it.
pub fn close_to_others() -> io::Result<()> {
    match Path::new(SWITCH_LOCK).parent() {
        Some(folder) if folder.is_dir() => lock::close_to_others(Path::new(SWITCH_LOCK), is_root_s),
        _ => Ok(()),
    }
}

/// Whether a process of root holds a lock on a file. Where the kernel does not say who holds it
/// (who took it is gone, and another process has it from him), whether one of root has it open.
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

/// Who holds a lock of `flock` on a file, by its device and number; see proc_locks(5).
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

/// By every user id that it has: a program that became root for a user keeps that user's as the
/// real one.
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
