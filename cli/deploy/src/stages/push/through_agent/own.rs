//! The index of a base of which this computer has its own copy, so that the machine need not read it.

use std::path::Path;

use deploy_delta::{answer::Base, archive::Archive, index, index::Index, references::References};
use sha2::{Digest, Sha256};

/// Whether there is something that may be a copy of this base.
pub fn may_exist(base: &Base) -> bool {
    Path::new(base.path.as_str()).symlink_metadata().is_ok()
}

/// The index of this computer's copy. `None` if there is none, or if it is not the same: a path with
/// the same name may have been built again with other contents.
pub async fn index(base: Base) -> Option<Index> {
    tokio::task::spawn_blocking(move || read(&base)).await.ok()?
}

fn read(base: &Base) -> Option<Index> {
    let mut archive = Archive::of(base.path.as_ref()).ok()?;
    if archive.length() != base.length {
        return None;
    }
    let mut encoded = Vec::new();
    let mut digest = Sha256::new();
    let references = References::of(&base.path, &base.references);
    index::make(&mut archive, base.length, &references, |piece, entries| {
        digest.update(piece);
        encoded.extend_from_slice(entries);
        Ok(())
    })
    .ok()?;
    if digest.finalize().as_slice() != base.hash {
        return None;
    }
    Index::read(base.length, &encoded).ok()
}
