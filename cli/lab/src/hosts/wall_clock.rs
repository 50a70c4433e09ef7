//! The wall clock. The hosts of a lab share it with the machine below, so it may only be changed on
//! a virtual machine that was started for this (`scripts/wall-clock`).

use std::fs;

use anyhow::{Result, bail};
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

/// The kernel parameter that marks such a virtual machine.
const WORD: &str = "deploy-lab.own-clock";

/// Why the wall clock must not be changed here; `None` if it may be.
pub fn missing() -> Option<String> {
    let told = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let own = told.split_whitespace().any(|word| word == WORD);
    (!own).then(|| "the wall clock is this machine's: scripts/wall-clock has one to set".into())
}

/// Moves the wall clock by this many seconds, back if negative.
///
/// # Errors
/// Where it must not be, or the kernel refuses.
pub fn jump(seconds: i64) -> Result<()> {
    if let Some(why) = missing() {
        bail!("{why}");
    }
    let now = clock_gettime(ClockId::Realtime);
    let then = Timespec { tv_sec: now.tv_sec + seconds, tv_nsec: now.tv_nsec };
    Ok(clock_settime(ClockId::Realtime, then)?)
}
