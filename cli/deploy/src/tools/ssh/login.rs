//! The one login of a run: a multiplexing master that ends when `deploy` does.

use std::{error::Error as _, ffi::OsString, io, sync::OnceLock};

use openssh::Session;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufRead, AsyncWriteExt, BufReader},
    process::Child,
    task::JoinHandle,
};

use super::{
    Begun, Handover, Opening, Password, SshError, Target, begun, diagnosis, heard::Heard,
    opening::SOCKET,
};
use crate::tools::{bounded, shell};

/// The line that ends the greeting.
const END: &str = "@end";

/// A login. Its master runs `cat` with a pipe from this process as stdin. When `deploy` dies in any
/// way, `cat` ends and the master with it, on Linux and on macOS.
pub struct Login {
    session: Session,
    target: Target,
    /// Stands between Nix and its `ssh` where that is needed.
    handover: OnceLock<Handover>,
    folder: TempDir,
    _master: Child,
    _stderr: JoinHandle<()>,
}

impl Login {
    /// Logs in and runs `greeting` (sh) on the machine; returns its output. This takes one login
    /// and no further round trip. `ssh` asks its questions on the terminal (a passphrase, a PIN, a
    /// new host key). `tell` gets each other line that it prints (a prompt to touch a key, a
    /// banner).
    pub async fn open(
        target: &Target,
        greeting: &str,
        tell: impl FnMut(&str),
    ) -> Result<(Self, Greeted), SshError> {
        Self::greet(Opening::begin(target, Vec::new())?, greeting, tell).await
    }

    /// The same for a login that has begun.
    pub async fn greet(
        mut opening: Opening,
        greeting: &str,
        mut tell: impl FnMut(&str),
    ) -> Result<(Self, Greeted), SshError> {
        opening.send(&format!("{greeting}\necho {END}; exec cat > /dev/null")).await;
        let Opening { target, folder, mut master, .. } = opening;
        let mut heard = Heard::of(master.stderr.take().expect("stderr is a pipe"));
        let mut stdout = BufReader::new(master.stdout.take().expect("stdout is a pipe"));
        let answer = heard.during(greeted(&mut stdout), &mut tell).await?;
        let greeted = match answer {
            Ok(greeted) => Greeted { authenticated: heard.authenticated(), ..greeted },
            Err(said) => {
                // If the account's shell or a start-up file ends the login, the reason is on
                // stdout.
                let why = heard.all().await;
                let why = if why.trim().is_empty() { said } else { why };
                return Err(diagnosis::ended(master, &why).await);
            }
        };
        heard.told(&mut tell);
        let drain = tokio::spawn(heard.ignored());
        let session = Session::resume_mux(folder.path().join(SOCKET).into_boxed_path(), None);
        let handover = OnceLock::new();
        let login = Self { session, target, handover, folder, _master: master, _stderr: drain };
        Ok((login, greeted))
    }

    /// The address that this login went to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The private folder of this login, which ends with it. Its control socket is `s` there.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Whether the user's settings make `ssh` compress this login.
    pub async fn is_compressed(&self) -> bool {
        let settings = self.settings().await.unwrap_or_default();
        settings.lines().any(|line| line == "compression yes")
    }

    /// The settings that `ssh` has for this login, as `ssh -G` prints them.
    pub(super) async fn settings(&self) -> Option<String> {
        self.target.settings(self.folder.path()).await
    }

    /// The environment of a Nix command that needs sudo's `password`, or whose machine's start-up
    /// files print something before Nix's protocol.
    pub fn handing_over(&self, password: Option<&Password>) -> io::Result<Vec<(String, OsString)>> {
        if self.handover.get().is_none() {
            let _ = self.handover.set(Handover::begin(self.folder.path(), password)?);
        }
        Ok(self.handover.get().map(Handover::environment).unwrap_or_default())
    }

    /// The `NIX_SSHOPTS` that make Nix's `ssh` use only this login. If the login were lost, a new
    /// one could ask for a password and would count for sshd.
    pub fn nix_sshopts(&self) -> String {
        let socket = self.folder.path().join(SOCKET);
        format!(
            "-o ControlPath={} -o ControlMaster=no -o ProxyCommand=false {}",
            socket.display(),
            self.target.options.over_a_login()
        )
    }

    /// Starts a command (sh) over this login, with pipes.
    pub async fn spawn(&self, script: &str) -> Result<Remote<'_>, SshError> {
        let sent = shell::sent(script);
        let mut command = self.session.raw_command(sent.line);
        command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped());
        command.stderr(openssh::Stdio::piped());
        let mut child = command.spawn().await.map_err(broken)?;
        let mut stdin = child.stdin().take().expect("stdin is a pipe");
        // A command that does not read this has ended, and its stderr says why.
        let _ = stdin.write_all(sent.stdin.as_bytes()).await;
        let stdout = BufReader::new(child.stdout().take().expect("stdout is a pipe"));
        let stderr = child.stderr().take().expect("stderr is a pipe");
        Ok(Remote { stdin, stdout: Begun::of(stdout), stderr, child })
    }

    /// Runs a command (sh) over this login to its end; returns its stdout if its status is 0.
    pub async fn run(&self, script: &str, stdin: &str) -> Result<String, SshError> {
        let Remote { stdin: mut input, stdout: mut out, stderr: mut err, child } =
            self.spawn(script).await?;
        let write = async {
            // A command that does not read its stdin closes it; its status says how it ended.
            let _ = input.write_all(stdin.as_bytes()).await;
            drop(input);
            Ok(())
        };
        let stdout = bounded::all(&mut out, bounded::ANSWER);
        let stderr = bounded::all(&mut err, bounded::ANSWER);
        let ((), stdout, stderr) = tokio::try_join!(write, stdout, stderr)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let status = child.wait().await.map_err(broken)?;
        if status.success() { Ok(text(stdout)) } else { Err(SshError::from_stderr(&text(stderr))) }
    }
}

/// The output of a login.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Greeted {
    /// The output of the greeting.
    pub said: String,
    /// The output of start-up files before it.
    pub noise: String,
    /// The authentication method, by ssh's own name: `publickey`, `password`.
    pub authenticated: Option<String>,
}

/// Reads the output of a login, with the machine's files in it, which may be damaged. The inner
/// error is the output so far, if the connection ended before the greeting did.
pub async fn greeted(
    stdout: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Result<Greeted, String>> {
    let mut said = String::new();
    let mut noise = None;
    loop {
        let mut line = Vec::new();
        bounded::line(stdout, &mut line, bounded::ANSWER.saturating_sub(said.len())).await?;
        if line.is_empty() {
            return Ok(Err(said));
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\n', '\r']);
        if noise.is_none() && begun::begins(line) {
            said.push_str(line.trim_end_matches(shell::BEGINS));
            noise = Some(std::mem::take(&mut said));
            continue;
        }
        if line == END
            && let Some(noise) = noise
        {
            return Ok(Ok(Greeted { said, noise, authenticated: None }));
        }
        said.push_str(line);
        said.push('\n');
    }
}

/// A command that runs over a login. It has begun to read its script.
pub struct Remote<'login> {
    /// The command's stdin.
    pub stdin: openssh::ChildStdin,
    /// The command's stdout.
    pub stdout: Begun<BufReader<openssh::ChildStdout>>,
    /// The command's stderr.
    pub stderr: openssh::ChildStderr,
    /// Keeps the command running.
    pub child: openssh::Child<&'login Session>,
}

fn broken(error: openssh::Error) -> SshError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    SshError::from_stderr(&format!("the connection broke: {error}{cause}"))
}
