//! Running a program with a limit.

use std::{
    fmt,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use crate::storage::paths::PROGRAMS;

/// How long to read a program's output after it has ended. A process that it started may hold the
/// pipe open.
const AFTERMATH: Duration = Duration::from_millis(500);
/// The limit of the output that is kept, in bytes.
const KEPT_BYTES: usize = 64 << 20;
/// How long to wait for a killed program to end.
const REAPED: Duration = Duration::from_secs(2);

/// The result of a program.
#[derive(Debug)]
pub struct Ran {
    /// The exit status; `None` if a signal ended the program.
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
    /// Whether the output is complete: it did not exceed the limit, and no process that the program
    /// started can add to it.
    pub whole: bool,
}

impl Ran {
    /// Whether the program ended with status 0.
    pub fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    /// The last line of the output; stderr comes first.
    pub fn last_words(&self) -> &str {
        let last = |text: &'_ str| text.lines().rev().position(|line| !line.trim().is_empty());
        let of = |text| last(text).and_then(|back| str::lines(text).rev().nth(back));
        of(&self.err).or_else(|| of(&self.out)).unwrap_or("it printed nothing").trim()
    }
}

/// Why a program has no result.
#[derive(Debug)]
pub struct NotRun {
    program: String,
    why: String,
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.program, self.why)
    }
}

impl std::error::Error for NotRun {}

/// Finds a program, first in `before`, then in [`PROGRAMS`]. If it is nowhere, its name is
/// returned, and starting it reports the error.
pub fn find(name: &str, before: &[PathBuf]) -> PathBuf {
    let places = before.iter().map(PathBuf::as_path).chain(PROGRAMS.iter().map(Path::new));
    places
        .map(|place| place.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(name))
}

/// What happens to processes that a program left running when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftBehind {
    /// They continue.
    Stays,
    /// The agent kills those in the program's process group. A check that forks every second would
    /// otherwise fill the machine.
    Killed,
}

/// Runs a program with an empty stdin. After `limit` the program and its process group are killed,
/// which is an error.
pub fn run(command: &mut Command, limit: Duration) -> Result<Ran, NotRun> {
    run_and(command, limit, LeftBehind::Stays)
}

/// Like [`run`], with a choice for the processes that the program leaves running.
pub fn run_and(
    command: &mut Command,
    limit: Duration,
    left_behind: LeftBehind,
) -> Result<Ran, NotRun> {
    let program = command.get_program().to_string_lossy().into_owned();
    let fail = |why: String| NotRun { program: program.clone(), why };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| fail(error.to_string()))?;
    let mut out = Output::of(child.stdout.take().map(Into::into));
    let mut err = Output::of(child.stderr.take().map(Into::into));
    if !listen(&child, limit, &mut out, &mut err) {
        kill_group(&child);
        reap(child);
        return Err(fail(format!("it did not end within {} s", limit.as_secs())));
    }
    if left_behind == LeftBehind::Killed {
        // The child has not been reaped, so no other process group can have its number.
        kill_group(&child);
    }
    let status = child.wait().map_err(|error| fail(error.to_string()))?;
    let whole = out.is_whole() && err.is_whole();
    Ok(Ran { status: status.code(), out: out.text(), err: err.text(), whole })
}

/// Reads a child's output until it has ended, and then the rest in its pipes for at most
/// [`AFTERMATH`]. `false` if the child still runs after `limit`.
fn listen(child: &Child, limit: Duration, out: &mut Output, err: &mut Output) -> bool {
    let Some(pidfd) = pidfd_of(child) else { return true };
    let mut end = Instant::now() + limit;
    let mut ended = false;
    loop {
        let mut waited = Vec::new();
        if !ended {
            waited.push(PollFd::new(&pidfd, PollFlags::IN));
        }
        let pipes: Vec<&OwnedFd> = [&*out, &*err].into_iter().filter_map(Output::pipe).collect();
        waited.extend(pipes.into_iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        if waited.is_empty() {
            return true;
        }
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
        let ready = poll(&mut waited, Some(&timeout));
        let ends_now = !ended && !waited[0].revents().is_empty();
        out.read();
        err.read();
        if ends_now {
            (ended, end) = (true, Instant::now() + AFTERMATH);
        } else if matches!(ready, Ok(0)) || left.is_zero() {
            return ended;
        }
    }
}

/// The output of a program so far.
struct Output {
    pipe: Option<OwnedFd>,
    bytes: Vec<u8>,
    too_long: bool,
}

impl Output {
    fn of(pipe: Option<OwnedFd>) -> Self {
        // A pipe that cannot be made non-blocking is not read.
        let pipe = pipe.filter(|pipe| rustix::io::ioctl_fionbio(pipe, true).is_ok());
        Self { pipe, bytes: Vec::new(), too_long: false }
    }

    fn pipe(&self) -> Option<&OwnedFd> {
        self.pipe.as_ref()
    }

    /// Reads everything that is available now.
    fn read(&mut self) {
        let mut part = [0; 1 << 16];
        while let Some(pipe) = &self.pipe {
            match rustix::io::read(pipe, &mut part) {
                Ok(0) => self.pipe = None,
                Ok(length) if self.bytes.len() + length > KEPT_BYTES => self.too_long |= length > 0,
                Ok(length) => self.bytes.extend_from_slice(&part[..length]),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.pipe.is_none() && !self.too_long
    }

    fn text(self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reaps a killed child, with a limit. A process that waits for a dead disk does not end; the
/// caller continues without it.
fn reap(mut child: Child) {
    if ended_within(&child, REAPED) {
        let _ = child.wait();
    } else {
        thread::spawn(move || child.wait());
    }
}

fn pidfd_of(child: &Child) -> Option<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
    // Every kernel that NixOS supports has pidfds.
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Waits for a child; `false` if it still runs after `limit`.
pub fn ended_within(child: &Child, limit: Duration) -> bool {
    let Some(pidfd) = pidfd_of(child) else { return true };
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
        let mut waited = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        match poll(&mut waited, Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(_) if left.is_zero() => return false,
            Err(_) => {}
        }
    }
}

fn kill_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // The child may have ended just now.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Describes an exit status.
pub fn told_status(status: Option<i32>) -> String {
    status.map_or("a signal".into(), |status| format!("status {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_is_told_by_status_and_words() {
        let ran = run(
            Command::new("sh").args(["-c", "echo out; echo first >&2; echo err >&2; exit 3"]),
            Duration::from_secs(10),
        )
        .unwrap();
        assert_eq!((ran.status, ran.out.as_str(), ran.last_words()), (Some(3), "out\n", "err"));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_with_what_it_started() {
        let began = Instant::now();
        let error =
            run(Command::new("sh").args(["-c", "sleep 60 & sleep 60"]), Duration::from_millis(100))
                .unwrap_err();
        assert_eq!(error.to_string(), "sh: it did not end within 0 s");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_a_program_printed_is_there_though_something_that_it_started_holds_the_pipe() {
        let began = Instant::now();
        let script = "echo first; echo said >&2; setsid sleep 20 & exit 1";
        let ran = run(Command::new("sh").args(["-c", script]), Duration::from_secs(10)).unwrap();
        assert_eq!((ran.status, ran.out.as_str(), ran.last_words()), (Some(1), "first\n", "said"));
        assert!(!ran.whole && began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn what_is_printed_is_whole_however_much_it_is() {
        let script = "yes 0123456789abcde | head -c 8000000; echo; echo end";
        let ran = run(Command::new("sh").args(["-c", script]), Duration::from_secs(60)).unwrap();
        assert!(ran.whole && ran.out.len() == 8_000_005, "{} bytes", ran.out.len());
    }

    #[test]
    fn what_a_check_leaves_behind_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let script = "(sleep 1; touch late) > /dev/null 2>&1 & echo started";
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(folder.path());
        let ran = run_and(&mut command, Duration::from_secs(10), LeftBehind::Killed).unwrap();
        assert_eq!((ran.status, ran.out.as_str()), (Some(0), "started\n"));
        thread::sleep(Duration::from_millis(1500));
        assert!(!folder.path().join("late").exists(), "it still ran");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().starts_with("no-such-program: "), "{error}");
    }
}
