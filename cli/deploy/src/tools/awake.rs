//! Keeps the operator's computer awake while a machine waits for it.

use tokio::process::Child;

use super::process::{self, Invocation};

/// A computer that does not go to sleep by itself. This ends when the value is dropped and when
/// `deploy` ends in any way, because the program that keeps the computer awake runs a `cat` that
/// reads from a pipe of `deploy`. Closing the lid still puts the computer to sleep; the machine
/// then rolls back at its deadline.
#[derive(Debug)]
pub struct Awake {
    _asked: Option<Child>,
}

impl Awake {
    /// Asks the operating system: `caffeinate` on macOS, `systemd-inhibit` on Linux. A computer
    /// without either, or one that refuses, goes to sleep as usual. Linux shows `why` as the
    /// reason. `the-operators-computer-stays-awake-while-a-machine-waits` proves it on Linux.
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
