//! One installation at a time: a lock on the computer, which ends with the login.

use tokio::io::AsyncBufReadExt;

use crate::tools::{
    limit::{ANSWER, within},
    place::{Place, Running},
};

/// Takes the lock, says so, and keeps it until the login is over. /run is in memory.
const TAKE: &str = "file=/run/deploy-install.lock; exec 9>>\"$file\"
if flock --nonblock 9; then
  echo \"${SSH_CONNECTION%% *}\" > \"$file\"; echo taken; exec cat > /dev/null
fi
echo \"taken by $(tail -n 1 \"$file\")\"";

/// Why the lock was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum NotLocked {
    /// Another installation has it, from this address.
    Busy(String),
    /// The computer could not be asked.
    Failed(String),
}

/// The lock. Another installation can take it once this value is dropped.
pub struct InstallLock<'place> {
    _running: Running<'place>,
}

impl<'place> InstallLock<'place> {
    /// Takes the lock.
    pub async fn take(place: &'place Place) -> Result<Self, NotLocked> {
        let failed = |error: &dyn std::fmt::Display| NotLocked::Failed(error.to_string());
        let mut running = place.spawn(TAKE).await.map_err(|error| failed(&error))?;
        let mut line = String::new();
        let said = within(ANSWER, running.stdout.read_line(&mut line)).await;
        said.map_err(|late| failed(&late))?.map_err(|error| failed(&error))?;
        match line.trim().strip_prefix("taken") {
            Some("") => Ok(Self { _running: running }),
            Some(by) => Err(NotLocked::Busy(by.trim_start_matches(" by ").to_owned())),
            None => Err(NotLocked::Failed(running.rest.stderr().await)),
        }
    }
}
