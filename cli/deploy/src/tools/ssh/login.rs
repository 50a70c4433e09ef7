//! The one login that a run works over: a multiplexing master that ends when
//! `deploy` does.

use std::{error::Error as _, io, path::Path};

use openssh::Session;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Child,
    task::JoinHandle,
};

use super::{SshError, Target, heard::Heard};
use crate::tools::{process::Invocation, shell};

/// The line after which the greeting is over.
const END: &str = "@end";

/// A login. Its master runs `cat`, whose stdin is a pipe from this process: when
/// `deploy` dies, however it dies, `cat` ends and the master with it, on Linux
/// and macOS alike.
pub struct Login {
    session: Session,
    target: Target,
    folder: TempDir,
    _master: Child,
    _stderr: JoinHandle<()>,
}

impl Login {
    /// Logs in and runs `greeting` (sh) on the machine; gives what it printed.
    /// One login and no round trip more. `ssh` asks on the terminal what it has
    /// to ask (passphrase, PIN, a new host key); what else it says (a key to touch, a
    /// banner) is given to `tell` line by line.
    pub async fn open(
        target: &Target,
        greeting: &str,
        mut tell: impl FnMut(&str),
    ) -> Result<(Self, String), SshError> {
        let local = |error: std::io::Error| SshError::from_stderr(&error.to_string());
        // A socket's path has at most 104 bytes on macOS, whose TMPDIR is long.
        let folder =
            tempfile::Builder::new().prefix("deploy-").tempdir_in("/tmp").map_err(local)?;
        let inherited = inherited();
        let socket = folder.path().join("s");
        let command = shell::sh(&format!("{greeting}\necho {END}; exec cat > /dev/null"));
        let mut master = Invocation::shielded("ssh")
            .args(["-M", "-S"])
            .arg(&socket)
            .args(["-o", "ControlPersist=no", "-T"])
            .args(target.args(&inherited, folder.path()).map_err(local)?)
            .arg(command)
            .spawn()
            .map_err(|error| SshError::from_stderr(&error.to_string()))?;
        let mut heard = Heard::of(master.stderr.take().expect("stderr is a pipe"));
        let mut stdout = BufReader::new(master.stdout.take().expect("stdout is a pipe"));
        let answer = heard.during(answer(&mut stdout), &mut tell).await.map_err(local)?;
        let said = match answer {
            Ok(said) => said,
            Err(said) => {
                // A login that the account's shell or its start-up file ends says so
                // on stdout.
                let why = heard.all().await;
                let why = if why.trim().is_empty() { said } else { why };
                return Err(SshError::from_stderr(&why));
            }
        };
        heard.told(&mut tell);
        let drain = tokio::spawn(heard.ignored());
        let session = Session::resume_mux(socket.into_boxed_path(), None);
        let login =
            Self { session, target: target.clone(), folder, _master: master, _stderr: drain };
        Ok((login, said))
    }

    /// The address that this login went to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// A private folder that goes away with the login.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `NIX_SSHOPTS` that make Nix's own `ssh` use this login and no other: were
    /// it gone, a new one would ask and be counted again.
    pub fn nix_sshopts(&self) -> String {
        let socket = self.folder.path().join("s");
        format!("-o ControlPath={} -o ControlMaster=no -o ProxyCommand=false", socket.display())
    }

    /// Starts a command (sh) over this login, with pipes.
    pub async fn spawn(&self, script: &str) -> Result<Remote<'_>, SshError> {
        let mut command = self.session.raw_command(shell::sh(script));
        command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped());
        command.stderr(openssh::Stdio::piped());
        command.spawn().await.map_err(broken)
    }

    /// Runs a command (sh) over this login to its end: stdout if its status is 0.
    pub async fn run(&self, script: &str, stdin: &str) -> Result<String, SshError> {
        let mut child = self.spawn(script).await?;
        let local = |error: std::io::Error| SshError::from_stderr(&error.to_string());
        let mut input = child.stdin().take().expect("stdin is a pipe");
        let mut out = child.stdout().take().expect("stdout is a pipe");
        let mut err = child.stderr().take().expect("stderr is a pipe");
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let write = async {
            // A command that does not read its stdin closes it; its status tells.
            let _ = input.write_all(stdin.as_bytes()).await;
            drop(input);
            Ok(())
        };
        tokio::try_join!(write, out.read_to_end(&mut stdout), err.read_to_end(&mut stderr))
            .map_err(local)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let status = child.wait().await.map_err(broken)?;
        if status.success() { Ok(text(stdout)) } else { Err(SshError::from_stderr(&text(stderr))) }
    }
}

/// What the greeting printed, files of the machine among it, of which one may be damaged;
/// what it had printed by then when the connection ended before
/// it did.
async fn answer(stdout: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Result<String, String>> {
    let mut lines = stdout.split(b'\n');
    let mut said = String::new();
    while let Some(line) = lines.next_segment().await? {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches('\r');
        if line == END {
            return Ok(Ok(said));
        }
        said.push_str(line);
        said.push('\n');
    }
    Ok(Err(said))
}

/// A command that runs over a login.
pub type Remote<'login> = openssh::Child<&'login Session>;

fn broken(error: openssh::Error) -> SshError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    SshError::from_stderr(&format!("the connection broke: {error}{cause}"))
}

/// The words of an inherited `NIX_SSHOPTS`, which nixos-rebuild's and Nix's users
/// set for their hosts.
pub fn inherited() -> Vec<String> {
    let opts = std::env::var("NIX_SSHOPTS").unwrap_or_default();
    opts.split_whitespace().map(str::to_owned).collect()
}
