//! The stored results, one file each in the workspace's `target`, until a page is generated. They
//! are never committed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn file(folder: &str, name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    target.join(folder).join(format!("{name}.json"))
}

/// Stores a result; `None` deletes the previous one.
pub(super) fn keep<T: Serialize>(folder: &str, name: &str, seen: Option<&T>) -> Result<()> {
    let path = file(folder, name);
    let what = || format!("cannot write {}", path.display());
    fs::create_dir_all(path.parent().context("a file has a folder")?).with_context(what)?;
    match seen {
        Some(seen) => fs::write(&path, serde_json::to_string_pretty(seen)?).with_context(what),
        None if path.exists() => fs::remove_file(&path).with_context(what),
        None => Ok(()),
    }
}

/// Loads a stored result, if any.
pub(super) fn load<T: DeserializeOwned>(folder: &str, name: &str) -> Result<Option<T>> {
    let path = file(folder, name);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("cannot read {}", path.display()))?,
    };
    serde_json::from_str(&text).map(Some).with_context(|| format!("{} says {text}", path.display()))
}
