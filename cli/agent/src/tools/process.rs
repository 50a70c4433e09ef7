//! Starting a program and waiting for it, with a limit.

use std::{
    fmt,
    io::Read,
    os::{fd::AsFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use crate::paths::PROGRAMS;

/// How long what a program printed is waited for once it has ended: something
/// it started may hold the pipe.
const AFTERMATH: Duration = Duration::from_millis(500);
/// How much of what a program prints is kept.
const KEPT_BYTES: u64 = 64 << 20;

/// What became of a program.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained.
    pub err: String,
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

/// Runs a program to its end, with nothing on its stdin. After `limit` it and
/// what it started are killed, and that is an error.
pub fn run(command: &mut Command, limit: Duration) -> Result<Ran, NotRun> {
    let program = command.get_program().to_string_lossy().into_owned();
    let fail = |why: String| NotRun { program: program.clone(), why };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| fail(error.to_string()))?;
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    if !ended_within(&child, limit) {
        kill_group(&child);
        let _ = child.wait();
        return Err(fail(format!("it did not end within {} s", limit.as_secs())));
    }
    let status = child.wait().map_err(|error| fail(error.to_string()))?;
    let text = |from: mpsc::Receiver<String>| from.recv_timeout(AFTERMATH).unwrap_or_default();
    Ok(Ran { status: status.code(), out: text(out), err: text(err) })
}

/// Waits for a child; `false` when it still runs after `limit`.
pub fn ended_within(child: &Child, limit: Duration) -> bool {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return true };
    // A kernel without pidfds is older than any that NixOS still supports.
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
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

fn collect(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (to, text) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            let _ = from.take(KEPT_BYTES).read_to_end(&mut bytes);
        }
        let _ = to.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    text
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
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().starts_with("no-such-program: "), "{error}");
    }
}
