//! Files that survive the power going at any moment.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use deploy_wire::sealed::{self, NotSealed};
use serde::{Serialize, de::DeserializeOwned};

/// Kept so that the record of an attempt can still be written on a disk that
/// became full meanwhile; see [`write`].
const RESERVE: &str = "reserve";
const RESERVE_BYTES: usize = 256 * 1024;

/// Makes the reserve in a folder, unless it is there.
pub fn reserve(folder: &Path) -> Result<()> {
    let path = folder.join(RESERVE);
    if path.exists() {
        return Ok(());
    }
    replace(&path, &vec![0xaa; RESERVE_BYTES])
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a file so that it holds either the former text or this one. On a full
/// disk the folder's reserve is given up for it.
pub fn write(path: &Path, text: &[u8]) -> Result<()> {
    let first = replace(path, text);
    let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
    let written = match first {
        Err(error) if full(&error) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            fs::remove_file(folder.join(RESERVE)).and_then(|()| replace(path, text))
        }
        other => other,
    };
    written.with_context(|| format!("{} cannot be written", path.display()))
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.new"));
    let result = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(text)?;
        // Else the name may be on the disk before the contents are:
        // `a-power-cut-while-waiting-comes-back-on-the-old-system` then finds an empty record.
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    })();
    if result.is_err() {
        // The name may not exist; what failed first is what is told.
        let _ = fs::remove_file(&temporary);
    }
    result
}

/// Writes a value as JSON with its checksum, durably.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write(path, &sealed::seal(value).context("a value has no JSON")?)
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

/// Opens a file to lock it.
pub fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))
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
}
