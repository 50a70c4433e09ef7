//! The wall clock, which the hosts of a lab share with the machine that they run on: it may
//! jump only where that machine is a virtual one made for it (`scripts/wall-clock`).

use std::fs;

use anyhow::{Result, bail};
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

/// What the kernel of that virtual machine is started with.
const WORD: &str = "deploy-lab.own-clock";

/// Why the wall clock must not be set here.
pub fn missing() -> Option<String> {
    let told = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let own = told.split_whitespace().any(|word| word == WORD);
    (!own).then(|| "the wall clock is this machine's: scripts/wall-clock has one to set".into())
}

/// Sets it by so many seconds, back if they are negative.
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
