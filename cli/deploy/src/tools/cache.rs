//! Documents that are kept between runs, in the user's cache folder.

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    process::geteuid,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::private;

/// How many documents of a name are kept; the newest stay. Each change of a flake adds one, so
/// without a limit the folder would grow with every deploy:
/// `a-thousand-changing-deploys-leave-nothing-behind` proves it.
const KEPT: usize = 50;

/// The maximum bytes of a document. An evaluation of a hundred machines fits.
const LARGEST: u64 = 64 << 20;

/// A folder of JSON documents by key.
#[derive(Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache for documents of this name.
    pub fn named(name: &str) -> Self {
        Self { folder: private::kept(name) }
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        let digest = Sha256::digest(key.as_bytes());
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Some(self.folder.as_ref()?.join(format!("{name}.json")))
    }

    /// The document of `key`. A damaged file does not count, nor does one that another user wrote
    /// or could have written, because its contents are deployed as root. The key is part of the
    /// document, because anybody who could once write to the folder could have renamed the file.
    pub fn get(&self, key: &str) -> Option<Value> {
        let mut document: Value = serde_json::from_slice(&read_own(&self.file(key)?)?).ok()?;
        (document["key"] == key).then(|| document["value"].take())
    }

    /// Keeps `value`. If the cache cannot be written, the next run only takes longer, so that is
    /// not an error.
    pub fn put(&self, key: &str, value: &Value) {
        let Some(file) = self.file(key) else { return };
        let _ = self.write(&file, &json!({ "key": key, "value": value }));
    }

    fn write(&self, file: &Path, value: &Value) -> std::io::Result<()> {
        let folder = file.parent().expect("a file in a folder");
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(value.to_string().as_bytes())?;
        new.persist(file)?;
        forget(folder)
    }
}

/// The contents of a file that only this user can have written.
fn read_own(file: &Path) -> Option<Vec<u8>> {
    // Opening a pipe would block.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(file, flags, Mode::empty()).ok()?);
    let is = file.metadata().ok()?;
    let trusted = is.is_file() && is.uid() == geteuid().as_raw() && is.mode() & 0o022 == 0;
    if !trusted || is.len() > LARGEST {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
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

    /// A cache in which `a` is kept, and the file of `a`.
    fn kept() -> (tempfile::TempDir, Cache, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { folder: Some(folder.path().to_owned()) };
        cache.put("a", &json!(1));
        assert_eq!(cache.get("a"), Some(json!(1)));
        let file = cache.file("a").unwrap();
        (folder, cache, file)
    }

    #[test]
    fn a_kept_evaluation_under_another_name_is_not_used() {
        let (_folder, cache, file) = kept();
        std::fs::rename(file, cache.file("b").unwrap()).unwrap();
        assert_eq!(cache.get("b"), None);
    }

    #[test]
    fn a_kept_evaluation_that_others_could_have_written_is_not_used() {
        use std::os::unix::fs::{PermissionsExt, chown, symlink};
        let (_folder, cache, file) = kept();
        let with_mode = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&file, mode).unwrap();
        };
        for open in [0o620, 0o602] {
            with_mode(open);
            assert_eq!(cache.get("a"), None, "{open:o}");
        }
        with_mode(0o600);
        assert_eq!(cache.get("a"), Some(json!(1)));
        if geteuid().is_root() {
            chown(&file, Some(65534), None).unwrap();
            assert_eq!(cache.get("a"), None, "of another user");
            chown(&file, Some(0), None).unwrap();
        }
        let elsewhere = file.with_extension("kept");
        std::fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        assert_eq!(cache.get("a"), None, "a link");
    }
}
