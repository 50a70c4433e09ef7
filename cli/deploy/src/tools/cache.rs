//! What is kept between runs, in the user's cache folder.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// `$XDG_CACHE_HOME/deploy/NAME`, or below `~/.cache`. Without a home nothing is kept.
pub fn folder(name: &str) -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    Some(base?.join("deploy").join(name))
}

/// A folder of JSON documents by key.
#[derive(Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The documents of this name.
    pub fn named(name: &str) -> Self {
        Self { folder: folder(name) }
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        let digest = Sha256::digest(key.as_bytes());
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Some(self.folder.as_ref()?.join(format!("{name}.json")))
    }

    /// What was kept under `key`. A damaged file counts as nothing.
    pub fn get(&self, key: &str) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.file(key)?).ok()?).ok()
    }

    /// Keeps `value`. The cache is a convenience: that it cannot be written is no
    /// error, the next run only takes longer.
    pub fn put(&self, key: &str, value: &Value) {
        let Some(file) = self.file(key) else { return };
        let _ = self.write(&file, value);
    }

    fn write(&self, file: &Path, value: &Value) -> std::io::Result<()> {
        let folder = file.parent().expect("a file in a folder");
        std::fs::create_dir_all(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(value.to_string().as_bytes())?;
        new.persist(file)?;
        Ok(())
    }
}
