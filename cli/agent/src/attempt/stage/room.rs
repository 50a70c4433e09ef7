//! Checks that the store's disk has room for what an attempt writes.

use deploy_wire::message::{Refusal, RefusalKind};
use rustix::fs::statvfs;

use super::refusal::{refuse, refuse_with};

/// Bytes that the records, the roots, the profile and Nix's database may need.
const NEEDED: u64 = 8 << 20;

/// The free bytes of the file system that `path` is on.
pub fn free_bytes(path: &str) -> Result<u64, Refusal> {
    statvfs(path)
        .map(|disk| disk.f_bavail * disk.f_frsize)
        .map_err(|error| refuse(RefusalKind::Failed, format!("{path}: {error}")))
}

/// Refuses if /nix has too little room.
pub fn refuse_full_store() -> Result<(), Refusal> {
    let free = free_bytes("/nix")?;
    if free >= NEEDED {
        return Ok(());
    }
    let why = format!("/nix has {} KiB free, {} KiB are needed", free >> 10, NEEDED >> 10);
    Err(refuse_with(
        RefusalKind::NoRoom,
        why,
        "make room there: nix-collect-garbage --delete-older-than 30d",
    ))
}
