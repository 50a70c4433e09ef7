//! The operator's terminal: questions, and signals that interrupt `deploy`.

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

/// Whether the terminal shows what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// The input is shown.
    Shown,
    /// The input is a secret.
    Hidden,
}

/// The maximum bytes of a line. Linux's terminals allow 4096.
const LONGEST: usize = 4096;

/// The character of Ctrl-C.
const CTRL_C: u8 = 3;

/// Asks on the terminal, whatever stdin is, and returns the line that was typed. Ctrl-C at the
/// question goes to [`Interrupts`], and this future then never completes. The line is cleared from
/// memory when it is dropped. It fails if there is no terminal, if the terminal was closed, or if
/// the line is too long.
pub async fn ask(question: Printable, echo: Echo) -> io::Result<Zeroizing<String>> {
    let (tell, told) = tokio::sync::oneshot::channel();
    // A signal or a deadline must take effect while a person thinks. At its end the runtime would
    // wait for one of its own threads, and so for an answer that is not needed any more:
    // `a-signal-at-a-question-ends-deploy` proves it.
    thread::spawn(move || tell.send(read_line(&question, echo)));
    let line = told.await.map_err(io::Error::other)??;
    if line.last() == Some(&CTRL_C) {
        kill_process(getpid(), Signal::INT)?;
        return std::future::pending().await;
    }
    in_letters(&line)
}

/// The same for who cannot wait in the runtime. Ctrl-C at the question is Ctrl-C for whoever
/// listens, and no answer.
pub fn ask_at_once(question: &Printable, echo: Echo) -> io::Result<Zeroizing<String>> {
    let line = read_line(question, echo)?;
    if line.last() == Some(&CTRL_C) {
        kill_process(getpid(), Signal::INT)?;
        return Err(io::ErrorKind::Interrupted.into());
    }
    in_letters(&line)
}

fn in_letters(line: &[u8]) -> io::Result<Zeroizing<String>> {
    let text = std::str::from_utf8(line);
    let text = text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Says something on the terminal, whatever stdout is.
pub fn tell(text: &Printable) -> io::Result<()> {
    writeln!(open()?, "{text}")
}

/// Whether a person would answer a program that asks on the terminal. If stdin is not this
/// terminal, a program such as `sshpass` or `expect` may be at the other end, which answers once.
/// Without a terminal nobody is asked at all.
pub fn somebody_may_be_asked() -> bool {
    rustix::termios::tcgetsid(io::stdin()).is_ok() || open().is_err()
}

/// Ctrl-C ends the line instead of sending a signal. A signal would not wake the read, or would
/// leave the terminal without echo. `ctrl-c-at-a-question-is-an-answer` proves it.
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

/// The line is allocated once. A line that grows would leave parts of a secret in memory that is
/// not cleared.
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

/// How much later a signal may arrive than the end of a program that it ended.
const NEWS: Duration = Duration::from_millis(100);

/// The reasons for an interrupt, as the machine's record names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    CtrlC,
    /// SIGTERM: `kill`, `timeout`, or a computer that shuts down.
    Terminated,
    /// SIGHUP: the terminal was closed.
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

/// Ctrl-C, SIGTERM and SIGHUP. A signal that arrives while nothing waits for it is not lost.
/// `a-terminated-deploy-tells-the-machine-to-go-back` and
/// `a-closed-terminal-tells-the-machine-to-go-back` prove the latter two.
pub struct Interrupts {
    ctrl_c: Signals,
    terminate: Signals,
    hang_up: Option<Signals>,
    came: bool,
    settings: Option<(File, Termios)>,
}

impl Interrupts {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        let settings = open().ok().and_then(|terminal| {
            let settings = tcgetattr(&terminal).ok()?;
            Some((terminal, settings))
        });
        // `nohup` ignores SIGHUP, and a listener would undo that. Under `nohup` neither stdout nor
        // stderr is a terminal.
        let shown = io::stdout().is_terminal() || io::stderr().is_terminal();
        Ok(Self {
            ctrl_c: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: shown.then(|| signal(SignalKind::hangup())).transpose()?,
            came: false,
            settings,
        })
    }

    /// Whether an interrupt was taken.
    pub fn have_come(&self) -> bool {
        self.came
    }

    /// The result of `work`; `None` if an interrupt arrives first.
    pub async fn unless_interrupted<T, E>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Option<Result<T, E>> {
        let ended = tokio::select! {
            biased;
            _ = self.next() => return None,
            ended = work => ended,
        };
        // Ctrl-C also reaches the programs of `work`, and their end may be seen first:
        // `ctrl-c-before-the-switch-changes-nothing-and-leaves-nothing`.
        if ended.is_err() && tokio::time::timeout(NEWS, self.next()).await.is_ok() {
            return None;
        }
        Some(ended)
    }

    /// The next interrupt. The terminal's settings are restored first, because `ssh` may be asking
    /// for a passphrase.
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

    /// An interrupt that has already arrived.
    pub async fn pending(&mut self) -> Option<Interrupt> {
        tokio::select! {
            biased;
            interrupt = self.next() => Some(interrupt),
            () = std::future::ready(()) => None,
        }
    }
}
