//! A login that has begun: `ssh` connects and authenticates, and runs nothing until it is greeted.

use std::ffi::OsString;

use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Child};

use super::{SshError, Target};
use crate::tools::{private, process::Invocation, shell};

/// The name of a login's control socket in its folder.
pub(super) const SOCKET: &str = "s";

/// A login that has begun. Its command on the machine waits for a script and does nothing before;
/// if this value is dropped, the connection ends and it never does.
pub struct Opening {
    pub(super) target: Target,
    pub(super) folder: TempDir,
    pub(super) master: Child,
    stdin_of: Box<dyn Fn(&str) -> String + Send + Sync>,
}

impl Opening {
    /// Starts `ssh`. `more` are arguments that take precedence over those of the target.
    pub fn begin(target: &Target, more: Vec<OsString>) -> Result<Self, SshError> {
        let folder = private::for_this_run()?;
        let (line, stdin_of) = shell::sent_later();
        let master = Invocation::shielded("ssh")
            .args(["-M", "-S"])
            .arg(folder.path().join(SOCKET))
            .args(["-o", "ControlPersist=no", "-o", "LogLevel=VERBOSE"])
            .args(more)
            .args(target.args(folder.path())?)
            .arg(line)
            .spawn()
            .map_err(|error| SshError::here(&error))?;
        Ok(Self { target: target.clone(), folder, master, stdin_of: Box::new(stdin_of) })
    }

    /// The address that `ssh` was started for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Lets the machine run `script` (sh).
    pub(super) async fn send(&mut self, script: &str) {
        // An `ssh` that does not read this has ended, and its stderr says why. The pipe stays open
        // for what the script reads.
        if let Some(stdin) = self.master.stdin.as_mut() {
            let _ = stdin.write_all((self.stdin_of)(script).as_bytes()).await;
        }
    }
}
