//! Keeping the operator's computer awake while a machine waits for it.

use tokio::process::Child;

use super::process::{self, Invocation};

/// A computer that does not go to sleep by itself. This ends when it is dropped, and with
/// `deploy`, however that ends: what keeps the computer awake lasts as long as a `cat` that
/// reads from a pipe of `deploy`. A lid that is closed still puts it to sleep; the machine
/// then goes back at its deadline.
#[derive(Debug)]
pub struct Awake {
    _asked: Option<Child>,
}

impl Awake {
    /// Asks the system: macOS has `caffeinate`, Linux `systemd-inhibit`. A computer that has
    /// neither, or whose system refuses, goes to sleep as always. `why` is what Linux shows to
    /// those who ask what keeps it awake.
    /// `the-operators-computer-stays-awake-while-a-machine-waits` proves it on Linux.
    pub fn because(why: &str) -> Self {
        let asking = if process::find("caffeinate", &[]).is_some() {
            Invocation::shielded("caffeinate").args(["-i", "-s"])
        } else {
            Invocation::shielded("systemd-inhibit")
                .args(["--what=idle:sleep", "--mode=block", "--who=deploy"])
                .arg(format!("--why={why}"))
        };
        Self { _asked: asking.arg("cat").spawn().ok() }
    }
}
