//! The one door through which `deploy` starts programs on this computer.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
};

/// A command line with what it adds to the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to this process's own.
    pub env: Vec<(String, OsString)>,
}

/// Why a program's work is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("{}", not_started(program, source))]
    Start {
        /// Which program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ended with another status than 0.
    #[error("{program} ended with {status}")]
    Status {
        /// Which program.
        program: String,
        /// `exit status: 1`, or the signal.
        status: std::process::ExitStatus,
        /// What it wrote to stderr.
        stderr: String,
    },
    /// Its output or its end was lost, as where whoever started `deploy` ignores SIGCHLD.
    #[error("how {program} ended is not known: {source}")]
    Lost {
        /// Which program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}

fn not_started(program: &str, source: &std::io::Error) -> String {
    if source.kind() == std::io::ErrorKind::NotFound {
        return format!("there is no `{program}` on this computer's PATH");
    }
    format!("{program} cannot be started: {source}")
}

impl ProcessError {
    /// What the program wrote to stderr, if it ran.
    pub fn stderr(&self) -> &str {
        match self {
            Self::Status { stderr, .. } => stderr,
            Self::Start { .. } | Self::Lost { .. } => "",
        }
    }
}

impl Invocation {
    /// A command line of `program` alone.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new() }
    }

    /// `program`, which Ctrl-C on the terminal does not reach, nor its end, nor a `timeout`:
    /// these go to all that runs there, and a login that they ended could not tell the machine
    /// any more to go back. `ctrl-c-while-it-is-confirmed-goes-back` proves it.
    pub fn shielded(program: &str) -> Self {
        Self::new("/bin/sh").args(["-c", "trap '' INT TERM HUP; exec \"$0\" \"$@\"", program])
    }

    /// With one argument more.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With more arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// With a variable in its environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or(self.program.as_os_str());
        name.to_string_lossy().into_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.kill_on_drop(true);
        command
    }

    /// Starts it with pipes for stdin, stdout and stderr. It is killed when the
    /// child is dropped.
    pub fn spawn(&self) -> Result<Child, ProcessError> {
        self.command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ProcessError::Start { program: self.name(), source })
    }

    /// Runs it to its end without stdin and gives what it wrote to stdout.
    pub async fn output(&self) -> Result<Vec<u8>, ProcessError> {
        self.watched(|_| {}).await
    }

    /// Runs it to its end; each line of stderr is given to `line` as it comes. It is asked to
    /// end when nobody waits for it any more.
    pub async fn watched(&self, mut line: impl FnMut(&str)) -> Result<Vec<u8>, ProcessError> {
        let mut asked = AskedToEnd(self.spawn()?);
        let child = &mut asked.0;
        drop(child.stdin.take());
        let lost = |source| ProcessError::Lost { program: self.name(), source };
        let mut stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let mut output = Vec::new();
        let mut said = String::new();
        let read_stderr = async {
            let mut lines = BufReader::new(stderr).split(b'\n');
            while let Some(bytes) = lines.next_segment().await? {
                let text = String::from_utf8_lossy(&bytes);
                line(&text);
                said.push_str(&text);
                said.push('\n');
            }
            Ok::<_, std::io::Error>(())
        };
        let (read, heard) = tokio::join!(stdout.read_to_end(&mut output), read_stderr);
        read.map_err(lost)?;
        heard.map_err(lost)?;
        let status = child.wait().await.map_err(lost)?;
        if status.success() {
            Ok(output)
        } else {
            Err(ProcessError::Status { program: self.name(), status, stderr: said })
        }
    }
}

/// How long a program may take to end that was asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// A program that is asked to end where it still runs when this is dropped, and is killed only
/// where it does not: Nix without a daemon that is killed leaves its builds running, which hold
/// their locks. `ctrl-c-ends-a-build-wherever-it-is` proves it.
struct AskedToEnd(Child);

impl Drop for AskedToEnd {
    fn drop(&mut self) {
        let running = self.0.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let Some(running) = running else { return };
        let asked = Instant::now();
        // One that ended meanwhile needs no signal.
        let _ = kill_process(running, Signal::TERM);
        while matches!(self.0.try_wait(), Ok(None)) && asked.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The first file named `program` in the folders of PATH and then in `more`.
pub fn find(program: &str, more: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(more.iter().cloned())
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
