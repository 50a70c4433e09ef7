//! The fresh login that confirms: a TCP connection of its own, whatever the
//! user's ssh_config says about multiplexing.

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
};

use super::{SshError, Target, heard::Heard, login::inherited};
use crate::tools::{process::Invocation, shell};

/// A login over a connection that nothing else uses. With a `ControlMaster` of
/// the user's, `ssh` would reach a machine that nobody can log in to any more:
/// `new-logins-fail-while-old-ones-live-rolls-back` proves it.
pub struct Fresh {
    _child: Child,
    heard: Heard<ChildStderr>,
    /// The remote command's stdin.
    pub stdin: ChildStdin,
    /// The remote command's stdout.
    pub stdout: BufReader<ChildStdout>,
    /// What `SSH_CONNECTION` was on the machine.
    pub connection: String,
    _folder: TempDir,
}

impl Fresh {
    /// Logs in and starts `script` (sh). What `ssh` says meanwhile is given to `tell` line by
    /// line.
    pub async fn open(
        target: &Target,
        script: &str,
        mut tell: impl FnMut(&str),
    ) -> Result<Self, SshError> {
        let local = |error: std::io::Error| SshError::from_stderr(&error.to_string());
        let folder =
            tempfile::Builder::new().prefix("deploy-").tempdir_in("/tmp").map_err(local)?;
        let mut child = Invocation::shielded("ssh")
            .args(["-o", "ControlMaster=no", "-o", "ControlPath=none", "-T"])
            .args(target.args(&inherited(), folder.path()).map_err(local)?)
            .arg(shell::sh(&format!("echo \"$SSH_CONNECTION\"; {script}")))
            .spawn()
            .map_err(|error| SshError::from_stderr(&error.to_string()))?;
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut heard = Heard::of(child.stderr.take().expect("stderr is a pipe"));
        let mut connection = String::new();
        let line = heard.during(stdout.read_line(&mut connection), &mut tell).await;
        if line.map_err(local)? == 0 {
            return Err(SshError::from_stderr(&heard.all().await));
        }
        heard.told(&mut tell);
        connection.truncate(connection.trim_end().len());
        Ok(Self { _child: child, heard, stdin, stdout, connection, _folder: folder })
    }

    /// Why the connection ended: what `ssh` and the remote command wrote to
    /// stderr.
    pub async fn why(self) -> SshError {
        SshError::from_stderr(&self.heard.all().await)
    }
}
