//! The operator's terminal: questions, and what stops `deploy` there.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Read, Write},
    thread,
    time::Duration,
};

use rustix::{
    process::{Signal, getpid, kill_process},
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use zeroize::Zeroizing;

use super::printable::Printable;

/// Whether what is typed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// It is.
    Shown,
    /// It is a secret.
    Hidden,
}

/// Bytes of a line; Linux's terminals have lines of 4096 at most.
const LONGEST: usize = 4096;

/// What Ctrl-C types.
const CTRL_C: u8 = 3;

/// Asks on the terminal, whatever stdin is, and returns the line that was typed.
/// Ctrl-C at the question is Ctrl-C for whoever waits for [`Interrupts`]: this
/// then never returns. What was typed is cleared from memory when it is dropped. Errors: there
/// is no terminal, it was closed, or the line is longer than a terminal lets anybody type.
pub async fn ask(question: Printable, echo: Echo) -> io::Result<Zeroizing<String>> {
    let (tell, told) = tokio::sync::oneshot::channel();
    // A signal and a deadline are heard while a person thinks. The runtime waits at its end for a
    // thread of its own, and would wait for an answer that nobody needs any more:
    // `a-signal-at-a-question-ends-deploy` proves it.
    thread::spawn(move || tell.send(read_line(&question, echo)));
    let line = told.await.map_err(io::Error::other)??;
    if line.last() == Some(&CTRL_C) {
        kill_process(getpid(), Signal::INT)?;
        return std::future::pending().await;
    }
    let text = std::str::from_utf8(&line);
    let text = text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Whether a program that asks on the terminal would be answered by a person. Where standard
/// input is another terminal, or none, one that answers once for this process may be at the
/// other end (`sshpass`, `expect`). Without any terminal nobody was asked, and nobody will be.
pub fn somebody_may_be_asked() -> bool {
    rustix::termios::tcgetsid(io::stdin()).is_ok() || open().is_err()
}

/// Ctrl-C ends the line instead of sending a signal: a signal would not wake the
/// read, or would leave the terminal mute.
/// `ctrl-c-at-a-question-is-an-answer` proves it.
fn read_line(question: &Printable, echo: Echo) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut terminal = open()?;
    let before = tcgetattr(&terminal)?;
    let mut during = before.clone();
    during.local_modes.remove(LocalModes::ISIG);
    during.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    if echo == Echo::Hidden {
        during.local_modes.remove(LocalModes::ECHO);
    }
    tcsetattr(&terminal, OptionalActions::Flush, &during)?;
    let line = write!(terminal, "{question} ").and_then(|()| until_end_of_line(&mut terminal));
    tcsetattr(&terminal, OptionalActions::Now, &before)?;
    let mut line = line?;
    if echo == Echo::Hidden || line.last() == Some(&CTRL_C) {
        terminal.write_all(b"\n")?;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(line)
}

/// The line lies in one place from its begin: one that grew would leave parts of a secret
/// behind in memory that nobody clears.
fn until_end_of_line(terminal: &mut File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    while !matches!(line.last(), Some(&(b'\n' | CTRL_C))) {
        if line.len() == LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
        }
        if terminal.read(&mut *byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.push(byte[0]);
    }
    Ok(line)
}

fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// How much later than the end of a program that it ended a signal may be seen.
const NEWS: Duration = Duration::from_millis(100);

/// What stops `deploy`, as the machine's record names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    CtrlC,
    /// SIGTERM: `kill`, `timeout`, a computer that shuts down.
    Terminated,
    /// SIGHUP: the terminal is gone.
    HungUp,
}

impl fmt::Display for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CtrlC => "the operator interrupted",
            Self::Terminated => "deploy was terminated on the operator's computer",
            Self::HungUp => "the operator's terminal was closed",
        })
    }
}

/// Ctrl-C, SIGTERM and SIGHUP, from when this is made: one that comes while nobody waits for
/// it is not lost. `a-terminated-deploy-tells-the-machine-to-go-back` and
/// `a-closed-terminal-tells-the-machine-to-go-back` prove the latter two.
pub struct Interrupts {
    ctrl_c: Signals,
    terminate: Signals,
    hang_up: Option<Signals>,
    came: bool,
    settings: Option<(File, Termios)>,
}

impl Interrupts {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        let settings = open().ok().and_then(|terminal| {
            let settings = tcgetattr(&terminal).ok()?;
            Some((terminal, settings))
        });
        // `nohup` has SIGHUP ignored, which listening would end; it leaves its program neither
        // of both on a terminal.
        let shown = io::stdout().is_terminal() || io::stderr().is_terminal();
        Ok(Self {
            ctrl_c: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: shown.then(|| signal(SignalKind::hangup())).transpose()?,
            came: false,
            settings,
        })
    }

    /// Whether one was taken.
    pub fn have_come(&self) -> bool {
        self.came
    }

    /// What `work` comes to; `None` when Ctrl-C comes before.
    pub async fn unless_interrupted<T, E>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Option<Result<T, E>> {
        let ended = tokio::select! {
            biased;
            _ = self.next() => return None,
            ended = work => ended,
        };
        // Ctrl-C goes to what `work` started as well, and its end may be seen first:
        // `ctrl-c-before-the-switch-changes-nothing-and-leaves-nothing`.
        if ended.is_err() && tokio::time::timeout(NEWS, self.next()).await.is_ok() {
            return None;
        }
        Some(ended)
    }

    /// The next one. The terminal is as it was at the start then: `ssh`, which
    /// asks for passphrases itself, may be in the middle of one.
    pub async fn next(&mut self) -> Interrupt {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signals) => signals.recv().await,
                None => std::future::pending().await,
            }
        };
        let interrupt = tokio::select! {
            _ = self.ctrl_c.recv() => Interrupt::CtrlC,
            _ = self.terminate.recv() => Interrupt::Terminated,
            _ = hang_up => Interrupt::HungUp,
        };
        self.came = true;
        if let Some((terminal, settings)) = &self.settings {
            let _ = tcsetattr(terminal, OptionalActions::Now, settings);
        }
        interrupt
    }

    /// The one that has come already, if one has.
    pub async fn pending(&mut self) -> Option<Interrupt> {
        tokio::select! {
            biased;
            interrupt = self.next() => Some(interrupt),
            () = std::future::ready(()) => None,
        }
    }
}
