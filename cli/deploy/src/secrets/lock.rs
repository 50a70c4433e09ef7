//! One `deploy secrets` at a time writes below a folder of rules.

use std::{fs::File, io, path::Path, time::Duration};

use rustix::fs::{FlockOperation, flock};
use tokio::time::{Instant, sleep};

use crate::error::{Failure, Result};

/// Held until it is dropped, and by the kernel no longer than this process lives.
#[derive(Debug)]
pub struct WriteLock {
    _held: File,
}

/// An edit is written in a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is tried.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock of a folder, which needs no file of its own.
pub async fn take(folder: &Path) -> Result<WriteLock> {
    let failed = |why: String| {
        let what = format!("the secrets in {} cannot be locked", folder.display());
        Failure::unchanged(what).because(why)
    };
    let file = File::open(folder).map_err(|error| failed(error.to_string()))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(WriteLock { _held: file }),
            Err(error) if io::Error::from(error).kind() != io::ErrorKind::WouldBlock => {
                return Err(failed(error.to_string()));
            }
            Err(_) if Instant::now() > until => {
                return Err(failed("another `deploy secrets` writes there".into())
                    .hint(Some("try again once it is over".into())));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_folder_has_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let held = take(folder.path()).await.unwrap();
        let refused = take(folder.path()).await.unwrap_err();
        assert_eq!(refused.causes, ["another `deploy secrets` writes there"]);
        drop(held);
        take(folder.path()).await.unwrap();
    }
}
