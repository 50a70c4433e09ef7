//! The one login that a run works over: a multiplexing master that ends when
//! `deploy` does.

use std::{error::Error as _, ffi::OsString, io, sync::OnceLock};

use openssh::Session;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufRead, AsyncWriteExt, BufReader},
    process::Child,
    task::JoinHandle,
};

use super::{Begun, Handover, Password, SshError, Target, begun, diagnosis, heard::Heard};
use crate::tools::{bounded, private, process::Invocation, shell};

/// The line after which the greeting is over.
const END: &str = "@end";

/// A login. Its master runs `cat`, whose stdin is a pipe from this process: when
/// `deploy` dies, however it dies, `cat` ends and the master with it, on Linux
/// and macOS alike.
pub struct Login {
    session: Session,
    target: Target,
    /// Where something stands between Nix and its `ssh`.
    handover: OnceLock<Handover>,
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
    ) -> Result<(Self, Greeted), SshError> {
        let folder = private::for_this_run()?;
        let socket = folder.path().join("s");
        let sent = shell::sent(&format!("{greeting}\necho {END}; exec cat > /dev/null"));
        let mut master = Invocation::shielded("ssh")
            .args(["-M", "-S"])
            .arg(&socket)
            .args(["-o", "ControlPersist=no", "-o", "LogLevel=VERBOSE"])
            .args(target.args(folder.path())?)
            .arg(sent.line)
            .spawn()
            .map_err(|error| SshError::here(&error))?;
        // Who does not read it has ended, and says why. The pipe stays: `cat` reads it.
        if let Some(stdin) = master.stdin.as_mut() {
            let _ = stdin.write_all(sent.stdin.as_bytes()).await;
        }
        let mut heard = Heard::of(master.stderr.take().expect("stderr is a pipe"));
        let mut stdout = BufReader::new(master.stdout.take().expect("stdout is a pipe"));
        let answer = heard.during(greeted(&mut stdout), &mut tell).await?;
        let greeted = match answer {
            Ok(greeted) => Greeted { authenticated: heard.authenticated(), ..greeted },
            Err(said) => {
                // A login that the account's shell or its start-up file ends says so
                // on stdout.
                let why = heard.all().await;
                let why = if why.trim().is_empty() { said } else { why };
                return Err(diagnosis::ended(master, &why).await);
            }
        };
        heard.told(&mut tell);
        let drain = tokio::spawn(heard.ignored());
        let session = Session::resume_mux(socket.into_boxed_path(), None);
        let (target, handover) = (target.clone(), OnceLock::new());
        let login = Self { session, target, handover, folder, _master: master, _stderr: drain };
        Ok((login, greeted))
    }

    /// The address that this login went to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What a command of Nix's needs in its environment where sudo wants `password`, or where
    /// start-up files print something, before Nix's protocol may begin.
    pub fn handing_over(&self, password: Option<&Password>) -> io::Result<Vec<(String, OsString)>> {
        if self.handover.get().is_none() {
            let _ = self.handover.set(Handover::begin(self.folder.path(), password)?);
        }
        Ok(self.handover.get().map(Handover::environment).unwrap_or_default())
    }

    /// `NIX_SSHOPTS` that make Nix's own `ssh` use this login and no other: were
    /// it gone, a new one would ask and be counted again.
    pub fn nix_sshopts(&self) -> String {
        let socket = self.folder.path().join("s");
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
        // Who does not read it has ended, and stderr tells why.
        let _ = stdin.write_all(sent.stdin.as_bytes()).await;
        let stdout = BufReader::new(child.stdout().take().expect("stdout is a pipe"));
        let stderr = child.stderr().take().expect("stderr is a pipe");
        Ok(Remote { stdin, stdout: Begun::of(stdout), stderr, child })
    }

    /// Runs a command (sh) over this login to its end: stdout if its status is 0.
    pub async fn run(&self, script: &str, stdin: &str) -> Result<String, SshError> {
        let Remote { stdin: mut input, stdout: mut out, stderr: mut err, child } =
            self.spawn(script).await?;
        let write = async {
            // A command that does not read its stdin closes it; its status tells.
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

/// What a login printed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Greeted {
    /// The greeting.
    pub said: String,
    /// Start-up files on the machine, before it.
    pub noise: String,
    /// How `ssh` was let in, as it names it: `publickey`, `password`.
    pub authenticated: Option<String>,
}

/// Reads what a login prints, files of the machine among it, of which one may be damaged: the
/// greeting, or what had been printed by then when the connection ended before the greeting did.
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
    /// What it reads.
    pub stdin: openssh::ChildStdin,
    /// What it prints.
    pub stdout: Begun<BufReader<openssh::ChildStdout>>,
    /// What else it prints.
    pub stderr: openssh::ChildStderr,
    /// What keeps it running.
    pub child: openssh::Child<&'login Session>,
}

fn broken(error: openssh::Error) -> SshError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    SshError::from_stderr(&format!("the connection broke: {error}{cause}"))
}
