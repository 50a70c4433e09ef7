//! The terminal of a live view.

use rustix::termios::{LocalModes, tcgetattr, tcgetwinsize};

/// The properties of a terminal that a live view needs. They may change at any time.
pub trait Terminal: Send {
    /// The number of columns.
    fn columns(&self) -> usize;

    /// Whether the terminal does not echo. `ssh` or sudo then asks for a secret, and drawing would
    /// erase the question.
    fn asks(&self) -> bool;
}

/// The terminal behind standard output.
pub struct Stdout {
    echoed_at_first: bool,
}

/// The width to assume if the terminal does not report one.
const USUAL: usize = 80;

impl Stdout {
    /// Remembers whether the terminal echoes now. A terminal that never echoes is not always
    /// asking.
    pub fn new() -> Self {
        Self { echoed_at_first: echoes() }
    }
}

fn echoes() -> bool {
    tcgetattr(std::io::stdout()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO))
}

impl Terminal for Stdout {
    fn columns(&self) -> usize {
        match tcgetwinsize(std::io::stdout()) {
            Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
            _ => USUAL,
        }
    }

    fn asks(&self) -> bool {
        self.echoed_at_first && !echoes()
    }
}
