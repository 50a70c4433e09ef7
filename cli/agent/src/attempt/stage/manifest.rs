//! The manifest of a system, which is in the store as part of its closure.

use std::{
    fmt,
    fs::{self, File},
    io::Read,
};

use deploy_wire::{machine::Manifest, store_path::StorePath};

/// The limit of a manifest in bytes. A large manifest has several hundred checks.
const LIMIT: u64 = 8 << 20;

/// A manifest that is there and cannot be used.
#[derive(Debug)]
pub struct UnreadManifest {
    file: String,
    why: String,
}

impl fmt::Display for UnreadManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not read: {}", self.file, self.why)
    }
}

/// The manifest of `wanted`; `None` if it has none.
pub fn read(wanted: &StorePath) -> Result<Option<Manifest>, UnreadManifest> {
    let file = format!("{wanted}/{}", Manifest::FILE);
    let Ok(path) = fs::canonicalize(&file) else { return Ok(None) };
    let unfit = |why: String| UnreadManifest { file: file.clone(), why };
    if !path.starts_with("/nix/store") {
        return Err(unfit(format!("it leads to {}", path.display())));
    }
    let mut text = Vec::new();
    let read = File::open(&path).and_then(|open| open.take(LIMIT + 1).read_to_end(&mut text));
    read.map_err(|error| unfit(error.to_string()))?;
    if text.len() as u64 > LIMIT {
        return Err(unfit(format!("it has more than {} MiB", LIMIT >> 20)));
    }
    let json = serde_json::from_slice(&text).map_err(|error| unfit(error.to_string()))?;
    Manifest::from_json(json).map(Some).map_err(|error| unfit(error.to_string()))
}
