//! What is kept between runs, in the user's cache folder.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Documents of one name that are kept, the newest: each change of a flake makes another, and
/// without an end the folder grows with every deploy:
/// `a-thousand-changing-deploys-leave-nothing-behind` proves it.
const KEPT: usize = 50;

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
        forget(folder)
    }
}

/// Removes the oldest documents.
fn forget(folder: &Path) -> std::io::Result<()> {
    let is_document = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
    let mut documents: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .filter(|(_, path)| is_document(path))
        .collect();
    documents.sort();
    let too_many = documents.len().saturating_sub(KEPT);
    documents.into_iter().take(too_many).try_for_each(|(_, path)| std::fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_documents_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { folder: Some(folder.path().to_owned()) };
        for number in 0..KEPT + 5 {
            cache.put(&number.to_string(), &Value::Null);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), KEPT);
    }
}
