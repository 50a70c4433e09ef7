//! Files that survive the power going at any moment.

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

/// Kept so that the record of an attempt can still be written on a disk that
/// became full meanwhile; see [`write`].
const RESERVE: &str = "reserve";
const RESERVE_BYTES: usize = 256 * 1024;

/// Makes a folder that root alone can enter, whatever the umask is; one that an older agent left
/// open is closed: `folders_and_files_are_root_s_alone_whatever_the_umask_is`.
pub fn private_folder(folder: &Path) -> Result<()> {
    folder_of_mode(folder, 0o700)
}

/// Makes a folder that others can enter and read, and not write to.
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

/// Opens a file that root alone can read and write, whatever the umask is.
pub fn create_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.mode(0o600).open(path)?;
    if file.metadata()?.mode() & 0o7777 != 0o600 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Makes the reserve in a folder, unless it is there.
pub fn reserve(folder: &Path) -> Result<()> {
    let path = folder.join(RESERVE);
    if path.exists() {
        return Ok(());
    }
    replace(&path, &vec![0xaa; RESERVE_BYTES], || true)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a file so that it holds either the former text or this one. On a full
/// disk the folder's reserve is given up for it.
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

/// `may` is asked once the text is on the disk, before it gets the name.
fn replace(path: &Path, text: &[u8], may: impl Fn() -> bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.new"));
    // One that was cut off; who has it open still does not write into this one.
    let _ = fs::remove_file(&temporary);
    let result = (|| {
        let mut file = create_private(OpenOptions::new().create_new(true).write(true), &temporary)?;
        file.write_all(text)?;
        // Else the name may be on the disk before the contents are:
        // `a-power-cut-while-waiting-comes-back-on-the-old-system` then finds an empty record.
        file.sync_all()?;
        if !may() {
            // What has that name by now is another's.
            return Ok(false);
        }
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all().map(|()| true)
    })();
    if result.is_err() {
        // The name may not exist; what failed first is what is told.
        let _ = fs::remove_file(&temporary);
    }
    match result {
        Ok(false) => Err(io::Error::other("another process of the agent has taken it over")),
        other => other.map(drop),
    }
}

/// Writes a value as JSON with its checksum, durably.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write(path, &sealed::seal(value).context("a value has no JSON")?)
}

/// The same of what a lock guards: not written once another process has the lock.
pub fn write_json_under(lock: &Lock, path: &Path, value: &impl Serialize) -> Result<()> {
    let text = sealed::seal(value).context("a value has no JSON")?;
    write_while(path, &text, || lock.is_held())
}

/// A file that does not hold what was written to it.
#[derive(Debug)]
pub struct Damaged {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: NotSealed,
}

impl std::error::Error for Damaged {}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", self.path.display(), self.why)
    }
}

/// Reads what [`write_json`] wrote; `None` if there is no such file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(file) => sealed::open(&file)
            .map(Some)
            .map_err(|why| Damaged { path: path.to_owned(), why }.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Makes a file system durable down to the disk.
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
