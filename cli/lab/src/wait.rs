//! Waiting for a condition, always with a deadline. Tests wait for what must become true
//! and never just for time to pass.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is asked.
const PERIOD: Duration = Duration::from_millis(10);

/// Returns as soon as `condition` holds.
///
/// # Errors
/// When it does not hold within `deadline` (the error says what was waited for), or asking
/// it fails.
pub fn until(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    value(what, deadline, || Ok(condition()?.then_some(())))
}

/// Returns the first value that `ask` finds.
///
/// # Errors
/// As [`until`].
pub fn value<T>(
    what: &str,
    deadline: Duration,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(value) = ask()? {
            return Ok(value);
        }
        if begun.elapsed() >= deadline {
            bail!("waited {deadline:?} in vain: {what}");
        }
        thread::sleep(PERIOD);
    }
}
