//! Starts programs on this computer. Nothing else in `deploy` does.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::BufReader,
    process::{Child, Command},
};
use zeroize::Zeroizing;

use self::ending::AskedToEnd;
pub use self::ending::{keep_exit_statuses, wait_for_ending};
use super::bounded;

mod ending;

/// A command line, with additions to the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The program.
    pub program: PathBuf,
    /// The arguments.
    pub args: Vec<OsString>,
    /// Variables added to this process's own.
    pub env: Vec<(String, OsString)>,
    /// The folder that the program runs in, instead of this process's own.
    pub folder: Option<PathBuf>,
}

/// Why a program failed.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program could not be started.
    #[error("{}", not_started(program, source))]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The program ended with another status than 0.
    #[error("{program} ended with {status}")]
    Status {
        /// The program.
        program: String,
        /// `exit status: 1`, or the signal.
        status: std::process::ExitStatus,
        /// What the program wrote to stderr.
        stderr: String,
    },
    /// The program printed more than the limit, and was ended.
    #[error("{program} printed more than {} MiB", most >> 20)]
    TooMuch {
        /// The program.
        program: String,
        /// The limit in bytes.
        most: usize,
    },
    /// The program's output could not be read, or its exit status was lost.
    #[error("cannot tell how {program} ended: {source}")]
    Lost {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
}

/// Has this process leave no image of its memory behind when it ends badly, nor what it starts.
pub fn leave_no_core() {
    let maximum = getrlimit(Resource::Core).maximum;
    // Where it is refused the system writes none, or root decides what it does with it.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
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
            Self::Start { .. } | Self::TooMuch { .. } | Self::Lost { .. } => "",
        }
    }
}

impl Invocation {
    /// A command line without arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new(), folder: None }
    }

    /// A program out of reach of Ctrl-C, of the terminal's end and of `timeout`. These signal the
    /// whole process group, and a login that they ended could not tell the machine to roll back any
    /// more. `ctrl-c-while-it-is-confirmed-goes-back` proves it.
    pub fn shielded(program: &str) -> Self {
        Self::new("/bin/sh").args(["-c", "trap '' INT TERM HUP; exec \"$0\" \"$@\"", program])
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the folder that the program runs in.
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or(self.program.as_os_str());
        name.to_string_lossy().into_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.kill_on_drop(true);
        command
    }

    /// Starts the program with pipes for stdin, stdout and stderr. Dropping the child kills it.
    pub fn spawn(&self) -> Result<Child, ProcessError> {
        self.command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ProcessError::Start { program: self.name(), source })
    }

    /// Starts the program out of reach of the terminal's signals and of this process's end. It
    /// prints to `log`.
    pub fn spawn_apart(&self, stdin: Stdio, log: File) -> Result<Child, ProcessError> {
        let failed = |source| ProcessError::Start { program: self.name(), source };
        let again = log.try_clone().map_err(failed)?;
        let mut command = self.command();
        command.kill_on_drop(false).process_group(0);
        command.stdin(stdin).stdout(log).stderr(again).spawn().map_err(failed)
    }

    /// Runs the program to its end without stdin, and returns its stdout.
    pub async fn output(&self) -> Result<Vec<u8>, ProcessError> {
        self.watched(|_| {}).await
    }

    /// Runs the program to its end, and passes each line of stderr to `line` as it arrives. If this
    /// future is dropped, the program is asked to end.
    pub async fn watched(&self, line: impl FnMut(&str)) -> Result<Vec<u8>, ProcessError> {
        self.watched_up_to(bounded::HERE, line).await
    }

    /// The same with a limit for stdout. Beyond other limits, stderr is not kept and its lines are
    /// cut.
    async fn watched_up_to(
        &self,
        most: usize,
        mut line: impl FnMut(&str),
    ) -> Result<Vec<u8>, ProcessError> {
        let mut asked = AskedToEnd::new(self.spawn()?);
        let child = asked.child();
        drop(child.stdin.take());
        let lost = |source| ProcessError::Lost { program: self.name(), source };
        let mut stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let mut said = String::new();
        let read_stdout = async {
            bounded::all(&mut stdout, most).await.map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => ProcessError::TooMuch { program: self.name(), most },
                _ => lost(error),
            })
        };
        let read_stderr = async {
            let mut lines = BufReader::new(stderr);
            loop {
                let mut bytes = Vec::new();
                bounded::piece(&mut lines, &mut bytes, bounded::ANSWER).await.map_err(lost)?;
                if bytes.is_empty() {
                    return Ok(());
                }
                let text = String::from_utf8_lossy(&bytes);
                let text = text.strip_suffix('\n').unwrap_or(&text);
                line(text);
                if said.len() + text.len() < bounded::COMPLAINTS {
                    said.push_str(text);
                    said.push('\n');
                }
            }
        };
        // Dropping the child ends a program that prints too much.
        let (output, ()) = tokio::try_join!(read_stdout, read_stderr)?;
        let status = child.wait().await.map_err(lost)?;
        if status.success() {
            Ok(output)
        } else {
            Err(ProcessError::Status { program: self.name(), status, stderr: said })
        }
    }
}

impl Invocation {
    /// Runs it to its end on this process's own terminal. It is asked to end when nobody waits
    /// for it any more.
    pub async fn on_terminal(&self) -> Result<std::process::ExitStatus, ProcessError> {
        let started = self.command().spawn();
        let started =
            started.map_err(|source| ProcessError::Start { program: self.name(), source })?;
        let mut asked = AskedToEnd::new(started);
        asked
            .child()
            .wait()
            .await
            .map_err(|source| ProcessError::Lost { program: self.name(), source })
    }

    /// Replaces this process by the program. Returns only on failure.
    pub fn replace_this(&self) -> io::Error {
        std::process::Command::new(&self.program).args(&self.args).exec()
    }

    /// Runs the program with this process's stderr. Its stdin is `first`, followed by this
    /// process's stdin. `pass_on` gets its output. Returns the exit code, or 255 if a signal ended
    /// it.
    pub fn run_behind(
        &self,
        first: Zeroizing<Vec<u8>>,
        pass_on: impl FnOnce(std::process::ChildStdout) -> io::Result<()>,
    ) -> io::Result<ExitCode> {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        // The thread ends with this process. The other end may keep stdin open for as long as it
        // likes.
        std::thread::spawn(move || {
            let written = stdin.write_all(&first);
            drop(first);
            written.and_then(|()| io::copy(&mut io::stdin().lock(), &mut stdin))
        });
        pass_on(child.stdout.take().expect("stdout is a pipe"))?;
        let code = child.wait()?.code().and_then(|code| u8::try_from(code).ok());
        Ok(ExitCode::from(code.unwrap_or(255)))
    }
}

/// The first file named `program` in the folders of PATH, except the folder `without`.
pub fn find_beyond(without: &Path, program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| folder != without);
    folders.map(|folder| folder.join(program)).find(|file| is_executable(file))
}

/// The first file named `program` in the folders of PATH, then in `more`.
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

#[cfg(test)]
mod tests {
    use rustix::process::{Pid, WaitOptions};

    use super::*;

    fn sh(script: &str) -> Invocation {
        Invocation::new("/bin/sh").args(["-c", script])
    }

    #[tokio::test]
    async fn a_program_whose_exit_status_somebody_else_took_is_lost() {
        let tells_its_id = sh("echo $$ >&2");
        let take = |id: &str| {
            let id = Pid::from_raw(id.parse().expect("a process id"));
            rustix::process::waitpid(id, WaitOptions::empty()).expect("it is a child");
        };
        let lost = tells_its_id.watched(take).await.expect_err("nobody knows how it ended");
        assert!(matches!(lost, ProcessError::Lost { .. }), "{lost}");
    }

    #[tokio::test]
    async fn a_program_here_that_prints_without_end_is_refused_and_ended() {
        let flood = sh("yes; echo never > /dev/stderr").watched_up_to(1 << 20, |_| {}).await;
        assert_eq!(flood.unwrap_err().to_string(), "sh printed more than 1 MiB");
    }

    #[tokio::test]
    async fn complaints_without_end_are_cut_and_each_line_is_told() {
        let (mut told, mut longest) = (0, 0);
        let script = "yes complaint | head -n 1000000 >&2; head -c 20000000 /dev/zero >&2; exit 3";
        let program = sh(script);
        let failed = program.watched(|line| {
            told += 1;
            longest = longest.max(line.len());
        });
        let ProcessError::Status { stderr, .. } = failed.await.unwrap_err() else { panic!() };
        assert!(stderr.len() <= bounded::COMPLAINTS && stderr.starts_with("complaint\n"));
        assert_eq!(longest, bounded::ANSWER);
        assert_eq!(told, 1_000_002);
    }
}
