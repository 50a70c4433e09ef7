//! The new login that confirms. It is a separate TCP connection, whatever the user's ssh_config
//! says about multiplexing.

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

/// Two addresses and two ports have fewer bytes.
const CONNECTION: u64 = 1024;

/// A login over its own connection. With the user's `ControlMaster`, `ssh` would reach a machine
/// that rejects new logins: `new-logins-fail-while-old-ones-live-rolls-back` proves it.
pub struct Fresh {
    _child: Child,
    heard: Heard<ChildStderr>,
    /// The stdin of the remote command.
    pub stdin: ChildStdin,
    /// The stdout of the remote command.
    pub stdout: Begun<BufReader<ChildStdout>>,
    /// The value of `SSH_CONNECTION` on the machine.
    pub connection: String,
    _folder: TempDir,
}

impl Fresh {
    /// Logs in and starts `script` (sh). `tell` gets each line that `ssh` prints meanwhile.
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
        // An `ssh` that does not read this has ended, and its stderr says why.
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

    /// Why the connection ended: the stderr of `ssh` and of the remote command.
    pub async fn why(self) -> SshError {
        SshError::from_stderr(&self.heard.all().await)
    }
}
