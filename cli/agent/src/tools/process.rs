//! Starting a program and waiting for it, with a limit.

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

/// How long what a program printed is waited for once it has ended: something
/// it started may hold the pipe.
const AFTERMATH: Duration = Duration::from_millis(500);
/// How much of what a program prints is kept.
const KEPT_BYTES: usize = 64 << 20;
/// How long the end of what was killed is waited for.
const REAPED: Duration = Duration::from_secs(2);

/// What became of a program.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained.
    pub err: String,
    /// Whether that is all that it printed: neither more than is kept, nor could something that
    /// it started print more.
    pub whole: bool,
}

impl Ran {
    /// Whether it ended with status 0.
    pub fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    /// The last line that it printed, complaints first.
    pub fn last_words(&self) -> &str {
        let last = |text: &'_ str| text.lines().rev().position(|line| !line.trim().is_empty());
        let of = |text| last(text).and_then(|back| str::lines(text).rev().nth(back));
        of(&self.err).or_else(|| of(&self.out)).unwrap_or("it printed nothing").trim()
    }
}

/// Why a program could not be waited for.
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

/// Where a program is: first in `before`, then in the places of [`PROGRAMS`].
/// A name that is nowhere stays a name, and starting it says so.
pub fn find(name: &str, before: &[PathBuf]) -> PathBuf {
    let places = before.iter().map(PathBuf::as_path).chain(PROGRAMS.iter().map(Path::new));
    places
        .map(|place| place.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(name))
}

/// What becomes of what a program started and left running once it has ended itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftBehind {
    /// It goes on.
    Stays,
    /// Killed, as far as it is in the program's process group: a check that forks each second
    /// would fill the machine.
    Killed,
}

/// Runs a program to its end, with nothing on its stdin. After `limit` it and
/// what it started are killed, and that is an error.
pub fn run(command: &mut Command, limit: Duration) -> Result<Ran, NotRun> {
    run_and(command, limit, LeftBehind::Stays)
}

/// The same, saying what becomes of what it leaves behind.
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
        // It has not been waited for, so the number of its group is still its own.
        kill_group(&child);
    }
    let status = child.wait().map_err(|error| fail(error.to_string()))?;
    let whole = out.is_whole() && err.is_whole();
    Ok(Ran { status: status.code(), out: out.text(), err: err.text(), whole })
}

/// Reads what a child prints until it has ended, and what is still in its pipes after that, at
/// most [`AFTERMATH`] long. `false` when it still runs after `limit`.
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

/// What a program prints, as far as it came.
struct Output {
    pipe: Option<OwnedFd>,
    bytes: Vec<u8>,
    too_long: bool,
}

impl Output {
    fn of(pipe: Option<OwnedFd>) -> Self {
        // One that cannot be read without waiting is not read.
        let pipe = pipe.filter(|pipe| rustix::io::ioctl_fionbio(pipe, true).is_ok());
        Self { pipe, bytes: Vec::new(), too_long: false }
    }

    fn pipe(&self) -> Option<&OwnedFd> {
        self.pipe.as_ref()
    }

    /// All that is there now.
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

/// Waits for a child that was killed. One that waits for a dead disk does not end: whoever
/// started it goes on without it.
fn reap(mut child: Child) {
    if ended_within(&child, REAPED) {
        let _ = child.wait();
    } else {
        thread::spawn(move || child.wait());
    }
}

fn pidfd_of(child: &Child) -> Option<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
    // A kernel without pidfds is older than any that NixOS still supports.
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Waits for a child; `false` when it still runs after `limit`.
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
        // It may have ended in this very moment.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// A status in words.
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
