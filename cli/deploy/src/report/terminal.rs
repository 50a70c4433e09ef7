//! The terminal that a live view is drawn on.

use rustix::termios::{LocalModes, tcgetattr, tcgetwinsize};

/// What a live view has to know of its terminal. It may change at any time.
pub trait Terminal: Send {
    /// How many columns it has.
    fn columns(&self) -> usize;

    /// Whether somebody types what is not shown: `ssh` or sudo asks for a secret then, and
    /// drawing would wipe its question away.
    fn asks(&self) -> bool;
}

/// The one behind standard output.
pub struct Stdout {
    echoed_at_first: bool,
}

/// Of a terminal that does not tell.
const USUAL: usize = 80;

impl Stdout {
    /// As it is now: one that never shows what is typed does not ask all the time.
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
