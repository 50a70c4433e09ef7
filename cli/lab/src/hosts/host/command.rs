//! Commands on a host, started from its console instead of over the network.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{Host, State};
use crate::hosts::cgroup::Cgroup;
use crate::hosts::process;

/// How long [`HostCommand::run`] waits.
const DEADLINE: Duration = Duration::from_secs(120);

/// How long a command may stay stopped before it is continued.
const NUDGE: Duration = Duration::from_secs(1);

/// The PATH of commands: NixOS's places, then the lab's, then Debian's.
const PATH: &str = "/run/wrappers/bin:/run/current-system/sw/bin:\
                    /usr/lib/lab/sbin:/usr/lib/lab/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code. For a killed command it is 128 plus the signal's number, as in a shell.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    line: String,
}

impl Output {
    /// Returns the output if the command exited with 0.
    ///
    /// # Errors
    /// When it did not; the error has all that it wrote.
    pub fn success(self) -> Result<Self> {
        if self.code == 0 {
            return Ok(self);
        }
        let Self { code, stdout, stderr, line } = self;
        bail!("{line}\nended with {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// A command to start on a host.
pub struct HostCommand {
    host: Host,
    pub(super) words: Vec<String>,
    variables: Vec<(String, String)>,
    stdin: Option<Vec<u8>>,
}

impl Host {
    /// A command with these arguments.
    pub fn command<W: Into<String> + Clone>(
        &self,
        words: impl IntoIterator<Item = W>,
    ) -> HostCommand {
        HostCommand {
            host: self.clone(),
            words: words.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
            stdin: None,
        }
    }

    /// Runs a shell script and returns its standard output without the last line end.
    ///
    /// # Errors
    /// When it ends otherwise than with 0.
    pub fn sh(&self, script: &str) -> Result<String> {
        let output = self.command(["sh", "-euc", script]).run()?.success()?;
        Ok(output.stdout.trim_end_matches('\n').to_owned())
    }
}

impl Host {
    /// Runs a command on this process's own terminal, for interactive use.
    ///
    /// # Errors
    /// When the host is off.
    pub fn attach(&self, words: &[String]) -> Result<ExitStatus> {
        let number = self.next_command();
        let (mut command, _) = self.enter(&self.state(), number)?;
        command.args(words).status().context("cannot start nsenter")
    }

    /// A command that enters the host with `nsenter`, in a new cgroup, and then waits for the
    /// program to run.
    fn enter(&self, state: &State, number: u32) -> Result<(Command, Cgroup)> {
        let Some(pid) = state.power.as_ref().map(|power| power.pid) else {
            bail!("{} is off", self.name())
        };
        let cgroup = self.parts.cgroup.child(&format!("lab.commands/{number}"))?;
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &pid.to_string()])
            .args(["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--time"])
            .args(["--root", "--wd", "--"])
            .env_clear()
            .envs([("PATH", PATH), ("HOME", "/root"), ("LANG", "C.UTF-8"), ("TERM", "dumb")]);
        cgroup.admit(&mut command)?;
        Ok((command, cgroup))
    }

    fn next_command(&self) -> u32 {
        let mut state = self.state();
        state.commands += 1;
        state.commands
    }
}

impl HostCommand {
    /// Sets an environment variable, in addition to PATH, HOME, LANG and TERM.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sets the standard input, which is empty by default.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs the command to its end, for at most 120 s.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn run(self) -> Result<Output> {
        self.spawn()?.wait(DEADLINE)
    }

    /// Starts the command and returns at once.
    ///
    /// # Errors
    /// When the host is off.
    pub fn spawn(mut self) -> Result<Running> {
        let stdin = self.stdin.take();
        self.start(|command, folder| {
            command
                .stdin(stdin.map_or(Ok(Stdio::null()), |bytes| -> Result<_> {
                    fs::write(folder.join("stdin"), bytes)?;
                    Ok(File::open(folder.join("stdin"))?.into())
                })?)
                .stdout(File::create(folder.join("stdout"))?)
                .stderr(File::create(folder.join("stderr"))?)
                .process_group(0);
            Ok(())
        })
    }

    /// Starts the command after `connect` has set its standard streams and session. Its output is
    /// read from the files `stdout` and `stderr` in the folder.
    pub(super) fn start(
        self,
        connect: impl FnOnce(&mut Command, &Path) -> Result<()>,
    ) -> Result<Running> {
        let number = self.host.next_command();
        let folder = self.host.parts.folder.join(format!("command-{number}"));
        fs::create_dir(&folder)?;
        // Keep the host from being switched off during the start. A process that enters the cgroup
        // while it is being emptied would prevent its removal.
        let state = self.host.state();
        let (mut command, cgroup) = self.host.enter(&state, number)?;
        command.args(&self.words).envs(self.variables);
        connect(&mut command, &folder)?;
        let child = command.spawn().context("cannot start nsenter")?;
        drop(state);
        let line = format!("{}$ {}", self.host.name(), self.words.join(" "));
        Ok(Running { child, cgroup, folder, line })
    }
}

/// A running command on a host, in its own process group and cgroup. Dropping the value does not
/// end the command; the end of the host does.
pub struct Running {
    child: Child,
    cgroup: Cgroup,
    folder: PathBuf,
    line: String,
}

impl Running {
    /// The standard output so far.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stdout(&self) -> Result<String> {
        self.written("stdout")
    }

    /// The standard error so far.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stderr(&self) -> Result<String> {
        self.written("stderr")
    }

    /// Whether the command still runs.
    ///
    /// # Errors
    /// When the kernel cannot tell.
    pub fn is_running(&mut self) -> Result<bool> {
        if self.child.try_wait()?.is_some() {
            return Ok(false);
        }
        self.nudge()?;
        Ok(self.child.try_wait()?.is_none())
    }

    /// The processes of the command, including its children.
    ///
    /// # Errors
    /// When it has ended.
    pub fn processes(&self) -> Result<Vec<u32>> {
        self.cgroup.processes()
    }

    /// Waits for the end of the command.
    ///
    /// # Errors
    /// When it does not end within `deadline`: then it is killed with all it started.
    pub fn wait(mut self, deadline: Duration) -> Result<Output> {
        let Some(status) = self.end_within(deadline)? else {
            self.kill()?;
            bail!(
                "{}\ndid not end within {deadline:?}\n--- stdout\n{}\n--- stderr\n{}",
                self.line,
                self.stdout()?,
                self.stderr()?
            );
        };
        let output = Output {
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: self.stdout()?,
            stderr: self.stderr()?,
            line: self.line,
        };
        fs::remove_dir_all(&self.folder)?;
        // The removal fails while a process that the command left behind is in the cgroup.
        let _ = self.cgroup.remove();
        Ok(output)
    }

    /// Continues a stopped nsenter. For a reboot, systemd stops every process before it kills them.
    /// nsenter then stops itself as well, and nobody continues it. It would never report the end of
    /// its child, and the machine would wait three minutes for that child before it reboots.
    fn nudge(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::CONT)?)
    }

    fn end_within(&mut self, deadline: Duration) -> Result<Option<ExitStatus>> {
        let end = Instant::now() + deadline;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let ended = process::wait_for(&mut self.child, left.min(NUDGE))?;
            if ended.is_some() || left.is_zero() {
                return Ok(ended);
            }
            self.nudge()?;
        }
    }

    /// Kills the command and all its processes, including those outside of its process group.
    ///
    /// # Errors
    /// When something of it does not end.
    pub fn kill(&mut self) -> Result<()> {
        self.cgroup.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal to the command's process group, as Ctrl-C in a terminal does.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let group = Pid::from_child(&self.child);
        Ok(kill_process_group(group, signal)?)
    }

    /// Stops the command and all its processes until [`Running::thaw`].
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn freeze(&self) -> Result<()> {
        self.cgroup.freeze()
    }

    /// Ends [`Running::freeze`].
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn thaw(&self) -> Result<()> {
        self.cgroup.thaw()
    }

    fn written(&self, stream: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.folder.join(stream))?).into_owned())
    }
}
