//! Commands on their own terminal with simulated input. A program that asks for a password reads
//! from its controlling terminal, whatever its standard input is.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::command::{HostCommand, Output, Running};
use crate::hosts::wait;

/// Wide enough that no line of a program wraps.
const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };

/// How long a test waits for output of a command.
const SHOWN: Duration = Duration::from_secs(60);

/// How long to read the last output of an ended command.
const READ: Duration = Duration::from_secs(2);

/// A command on a terminal. It leads a session, and keys reach it as from a keyboard, so `\x03` is
/// Ctrl-C for the foreground processes.
pub struct Terminal {
    running: Running,
    keyboard: File,
    screen: PathBuf,
    reader: JoinHandle<()>,
}

impl HostCommand {
    /// Starts the command on a new terminal.
    ///
    /// # Errors
    /// When the host is off or the machine has no terminal left.
    pub fn on_terminal(mut self) -> Result<Terminal> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).context("no terminal")?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let terminal = ioctl_tiocgptpeer(&master, flags).context("no terminal")?;
        tcsetwinsize(&terminal, SIZE)?;
        // The command gets its own session on the host. Ctrl-C must not end `nsenter`, whose exit
        // code would be taken for the command's.
        self.words.splice(0..0, ["setsid", "--ctty", "--wait"].map(String::from));
        let mut screen = PathBuf::new();
        let running = self.env("TERM", "xterm").start(|command, folder| {
            screen = folder.join("stdout");
            fs::write(folder.join("stderr"), "")?;
            File::create(&screen)?;
            command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal);
            command.process_group(0);
            Ok(())
        })?;
        let (mut lines, mut shown) = (File::from(master.try_clone()?), File::create(&screen)?);
        // Reading ends with an error when the last program has closed the terminal.
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = lines.read(&mut buffer) {
                if shown.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        });
        Ok(Terminal { running, keyboard: File::from(master), screen, reader })
    }
}

impl Terminal {
    /// All output so far.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn shown(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.screen)?).into_owned())
    }

    /// Waits for at most a minute until `text` is shown.
    ///
    /// # Errors
    /// When it is not; the error has what is shown instead.
    pub fn wait_for(&self, text: &str) -> Result<()> {
        wait::until(text, SHOWN, || Ok(self.shown()?.contains(text)))
            .with_context(|| format!("shown is:\n{}", self.shown().unwrap_or_default()))
    }

    /// Types keys; a line ends with `\n`.
    ///
    /// # Errors
    /// When nothing has the terminal any more.
    pub fn types(&mut self, keys: &str) -> Result<()> {
        Ok(self.keyboard.write_all(keys.as_bytes())?)
    }

    /// Whether the terminal echoes input. Programs must leave it in this state.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn echoes(&self) -> Result<bool> {
        Ok(tcgetattr(&self.keyboard)?.local_modes.contains(LocalModes::ECHO))
    }

    /// Changes the number of columns, as resizing a window does.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&self, columns: u16) -> Result<()> {
        Ok(tcsetwinsize(&self.keyboard, Winsize { ws_col: columns, ..SIZE })?)
    }

    /// Waits for the end of the command. The standard output is all that was shown.
    ///
    /// # Errors
    /// As [`Running::wait`].
    pub fn wait(mut self, deadline: Duration) -> Result<Output> {
        let ended = wait::until("the command on the terminal ends", deadline, || {
            Ok(!self.running.is_running()?)
        });
        if ended.is_ok() {
            // A program that the command left behind may keep the terminal open forever.
            let _ = wait::until("all is shown", READ, || Ok(self.reader.is_finished()));
        }
        self.running.wait(Duration::ZERO)
    }
}
