//! The fresh login that confirms: a TCP connection of its own, whatever the
//! user's ssh_config says about multiplexing.

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
};

use super::{Begun, SshError, Target, diagnosis, heard::Heard};
use crate::tools::{
    limit::{ANSWER, within},
    private,
    process::Invocation,
    shell,
};

/// More bytes than two addresses and two ports have.
const CONNECTION: u64 = 1024;

/// A login over a connection that nothing else uses. With a `ControlMaster` of
/// the user's, `ssh` would reach a machine that nobody can log in to any more:
/// `new-logins-fail-while-old-ones-live-rolls-back` proves it.
pub struct Fresh {
    _child: Child,
    heard: Heard<ChildStderr>,
    /// The remote command's stdin.
    pub stdin: ChildStdin,
    /// The remote command's stdout.
    pub stdout: Begun<BufReader<ChildStdout>>,
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
        let folder = private::for_this_run()?;
        let sent = shell::sent(&format!("echo \"$SSH_CONNECTION\"; {script}"));
        let mut child = Invocation::shielded("ssh")
            .args(["-o", "ControlMaster=no", "-o", "ControlPath=none"])
            .args(target.args(folder.path())?)
            .arg(sent.line)
            .spawn()
            .map_err(|error| SshError::here(&error))?;
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut stdout = Begun::of(stdout);
        let mut heard = Heard::of(child.stderr.take().expect("stderr is a pipe"));
        // Who does not read it has ended, and says why.
        let _ = stdin.write_all(sent.stdin.as_bytes()).await;
        let mut connection = String::new();
        let mut first = (&mut stdout).take(CONNECTION);
        let line = heard.during(first.read_line(&mut connection), &mut tell);
        if within(ANSWER, line).await?? == 0 {
            return Err(diagnosis::ended(child, &heard.all().await).await);
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
