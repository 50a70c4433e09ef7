//! Runs programs of this machine (`ip`, `mount`, `cp` …) and reports failures.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Runs `command` to its end and returns its standard output.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the error names the command line
/// and what it wrote to standard error.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!(
            "{} failed ({}): {}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// [`run`] for a program with its arguments.
///
/// # Errors
/// As [`run`].
pub fn run_words(words: &[&str]) -> Result<String> {
    run(Command::new(words[0]).args(&words[1..]))
}

fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Waits for at most `deadline` until a child ends; `None` if it still runs then.
///
/// # Errors
/// When the kernel cannot tell.
pub fn wait_for(child: &mut Child, deadline: Duration) -> Result<Option<ExitStatus>> {
    // A child that has already ended is reaped here; the kernel then forgets it.
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    let descriptor = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let mut wanted = [PollFd::new(&descriptor, PollFlags::IN)];
    match poll(&mut wanted, Some(&Timespec::try_from(deadline)?)) {
        Ok(0) => Ok(child.try_wait()?),
        Ok(_) => Ok(Some(child.wait()?)),
        Err(Errno::INTR) => wait_for(child, deadline),
        Err(error) => Err(error).context("poll"),
    }
}
