//! The folder of a virtual machine on this computer, and who works in it.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::image::IMAGE;
use crate::{
    error::{Failure, Result},
    tools::private,
};

/// What is kept in a folder is the user's alone: disks hold what machines know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmFolder {
    name: String,
    base: PathBuf,
}

/// The locks of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VmLock {
    /// Held while it is prepared and started.
    Start,
    /// Held while it is on: by the process that keeps it, and by qemu itself, so that a machine
    /// whose keeper was killed still counts as on.
    On,
}

impl VmFolder {
    /// The folder of the machine with this name. It may not exist yet.
    pub fn named(name: &str) -> Result<Self> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(fits) {
            return Err(Failure::unchanged(format!("`{name}` cannot be a virtual machine here"))
                .because("its name is to be a folder's: letters, digits, `-`, `_` and `.`"));
        }
        Ok(Self { name: name.to_owned(), base: base()? })
    }

    /// All machines that have a disk here, by name.
    pub fn all() -> Result<Vec<Self>> {
        let base = base()?;
        let entries = fs::read_dir(&base).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut all: Vec<Self> =
            names.map(|name| Self { name, base: base.clone() }).filter(Self::has_disk).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// The machine's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder.
    pub fn path(&self) -> PathBuf {
        self.base.join(&self.name)
    }

    /// The folder in which a new disk is made. It takes the other's place once it is whole.
    pub fn making(&self) -> PathBuf {
        self.beside("making")
    }

    /// Whether the machine was made whole.
    pub fn has_disk(&self) -> bool {
        self.path().join(IMAGE).is_symlink()
    }

    /// Takes a lock; `None` if another process has it. It is held until every copy of the file is
    /// closed, however its process ends.
    pub fn lock(&self, lock: VmLock) -> Result<Option<File>> {
        let file = self.beside(match lock {
            VmLock::Start => "start",
            VmLock::On => "on",
        });
        let taken = || -> io::Result<Option<File>> {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(&file)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(Some(file)),
                Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        taken().map_err(|error| {
            Failure::unchanged(format!("{} cannot be locked", file.display())).because(error)
        })
    }

    /// Whether the machine is on.
    pub fn is_on(&self) -> Result<bool> {
        Ok(self.lock(VmLock::On)?.is_none())
    }

    /// Puts the folder that was made in the machine's place.
    pub fn take_over(&self) -> io::Result<()> {
        let (path, old) = (self.path(), self.beside("old"));
        remove(&old)?;
        match fs::rename(&path, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(self.making(), &path)?;
        remove(&old)
    }

    /// Removes the machine with its disk.
    pub fn remove(&self) -> io::Result<()> {
        for path in [self.path(), self.making()] {
            remove(&path)?;
        }
        for lock in ["start", "on"] {
            let _ = fs::remove_file(self.beside(lock));
        }
        Ok(())
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.base.join(format!("{}.{ending}", self.name))
    }
}

fn base() -> Result<PathBuf> {
    private::state("vm").map_err(|error| {
        Failure::unchanged("there is no place for virtual machines on this computer")
            .because(error)
            .hint(Some("they are kept in XDG_STATE_HOME, or ~/.local/state".into()))
    })
}

/// Removes a folder; it may be missing.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::qemu::DISK, *};

    fn machine(base: &Path) -> VmFolder {
        VmFolder { name: "frame1-vm".into(), base: base.to_owned() }
    }

    #[test]
    fn a_name_is_no_path() {
        for name in ["", "..", ".x", "a/b", "a b"] {
            assert!(VmFolder::named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_lock_is_held_as_long_as_a_copy_of_it_is_open() {
        let base = tempfile::tempdir().unwrap();
        let machine = machine(base.path());
        let lock = machine.lock(VmLock::On).unwrap().unwrap();
        let copy = lock.try_clone().unwrap();
        drop(lock);
        assert!(machine.is_on().unwrap());
        drop(copy);
        assert!(!machine.is_on().unwrap());
    }

    #[test]
    fn a_new_disk_takes_the_place_of_the_old_one_whole() {
        let base = tempfile::tempdir().unwrap();
        let machine = machine(base.path());
        for (text, folder) in [("old", machine.path()), ("new", machine.making())] {
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(DISK), text).unwrap();
        }
        machine.take_over().unwrap();
        assert_eq!(fs::read_to_string(machine.path().join(DISK)).unwrap(), "new");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
}
