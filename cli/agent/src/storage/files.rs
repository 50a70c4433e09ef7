//! Files that survive a power cut at any moment.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use deploy_wire::sealed::{self, NotSealed};
use serde::{Serialize, de::DeserializeOwned};

use crate::storage::lock::Lock;

/// A reserve of disk space, so that the record can still be written when the disk has become full;
/// see [`write`].
const RESERVE: &str = "reserve";
const RESERVE_BYTES: usize = 256 * 1024;

/// Creates a folder that only root can enter, whatever the umask is. The permissions of an existing
/// folder are corrected: `folders_and_files_are_root_s_alone_whatever_the_umask_is`.
pub fn private_folder(folder: &Path) -> Result<()> {
    folder_of_mode(folder, 0o700)
}

/// Creates a folder that other users can read but not write to.
pub fn public_folder(folder: &Path) -> Result<()> {
    folder_of_mode(folder, 0o755)
}

fn folder_of_mode(folder: &Path, mode: u32) -> Result<()> {
    let make = || -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(mode).create(folder)?;
        if fs::metadata(folder)?.mode() & 0o7777 != mode {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    };
    make().with_context(|| format!("{} cannot be made", folder.display()))
}

/// Opens a file that only root can read and write, whatever the umask is.
pub fn create_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.mode(0o600).open(path)?;
    if file.metadata()?.mode() & 0o7777 != 0o600 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Creates the folder's reserve if it does not exist.
pub fn reserve(folder: &Path) -> Result<()> {
    let path = folder.join(RESERVE);
    if path.exists() {
        return Ok(());
    }
    replace(&path, &vec![0xaa; RESERVE_BYTES], || true)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a file so that it has either the old contents or the new ones. On a full disk the
/// folder's reserve is deleted first.
pub fn write(path: &Path, text: &[u8]) -> Result<()> {
    write_while(path, text, || true)
}

fn write_while(path: &Path, text: &[u8], may: impl Fn() -> bool) -> Result<()> {
    let first = replace(path, text, &may);
    let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
    let written = match first {
        Err(error) if full(&error) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            fs::remove_file(folder.join(RESERVE)).and_then(|()| replace(path, text, &may))
        }
        other => other,
    };
    written.with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a temporary file and renames it. `may` is called between the sync and the rename.
fn replace(path: &Path, text: &[u8], may: impl Fn() -> bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.new"));
    // The temporary file of an interrupted write. A process that still has it open must not write
    // into the new one.
    let _ = fs::remove_file(&temporary);
    let result = (|| {
        let mut file = create_private(OpenOptions::new().create_new(true).write(true), &temporary)?;
        file.write_all(text)?;
        // Without the sync, the disk may have the name but not the contents:
        // `a-power-cut-while-waiting-comes-back-on-the-old-system` then finds an empty record.
        file.sync_all()?;
        if !may() {
            // The temporary file of that name now belongs to another process.
            return Ok(false);
        }
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all().map(|()| true)
    })();
    if result.is_err() {
        // The temporary file may not exist. Report the first error.
        let _ = fs::remove_file(&temporary);
    }
    match result {
        Ok(false) => Err(io::Error::other("another process of the agent has taken it over")),
        other => other.map(drop),
    }
}

/// Writes a value as JSON with a checksum, durably.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write(path, &sealed::seal(value).context("a value has no JSON")?)
}

/// Like [`write_json`], for a file that a lock guards. Writes nothing if another process has taken
/// the lock.
pub fn write_json_under(lock: &Lock, path: &Path, value: &impl Serialize) -> Result<()> {
    let text = sealed::seal(value).context("a value has no JSON")?;
    write_while(path, &text, || lock.is_held())
}

/// A file with other contents than those that were written.
#[derive(Debug)]
pub struct Damaged {
    pub path: PathBuf,
    pub why: NotSealed,
}

impl std::error::Error for Damaged {}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", self.path.display(), self.why)
    }
}

/// Reads a file of [`write_json`]; `None` if it does not exist.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(file) => sealed::open(&file)
            .map(Some)
            .map_err(|why| Damaged { path: path.to_owned(), why }.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Syncs a file system to the disk.
pub fn sync_file_system(path: &str) -> Result<()> {
    let folder = File::open(path).with_context(|| format!("{path} cannot be opened"))?;
    rustix::fs::syncfs(&folder).with_context(|| format!("{path} cannot be synced"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("attempt.json");
        assert_eq!(read_json::<u32>(&path).unwrap(), None);
        write_json(&path, &1).unwrap();
        write_json(&path, &2).unwrap();
        assert_eq!(read_json::<u32>(&path).unwrap(), Some(2));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&path, "{").unwrap();
        let error = read_json::<u32>(&path).unwrap_err().to_string();
        assert!(error.contains("attempt.json cannot be read"), "{error}");
    }

    #[test]
    fn folders_and_files_are_root_s_alone_whatever_the_umask_is() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        let old = folder.path().join("old");
        fs::create_dir(&old).unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(old.join("a.json"), "open").unwrap();
        fs::set_permissions(old.join("a.json"), fs::Permissions::from_mode(0o666)).unwrap();
        let before = rustix::process::umask(rustix::fs::Mode::empty());
        let new = folder.path().join("new");
        for made in [&old, &new] {
            private_folder(made).unwrap();
            write_json(&made.join("a.json"), &1).unwrap();
        }
        public_folder(&folder.path().join("public")).unwrap();
        rustix::process::umask(before);
        for made in [&old, &new] {
            assert_eq!((mode(made), mode(&made.join("a.json"))), (0o700, 0o600), "{made:?}");
        }
        assert_eq!(mode(&folder.path().join("public")), 0o755);
    }

    #[test]
    fn who_lost_the_lock_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (guarded, lock) = (folder.path().join("attempt.json"), folder.path().join("lock"));
        let lost = Lock::take(&lock).unwrap();
        fs::remove_file(&lock).unwrap();
        let has_it = Lock::take(&lock).unwrap();
        write_json_under(&has_it, &guarded, &1).unwrap();
        assert!(write_json_under(&lost, &guarded, &2).is_err());
        assert_eq!(read_json::<u32>(&guarded).unwrap(), Some(1));
    }
}
