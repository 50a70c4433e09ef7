//! Waiting for a condition, always with a deadline. Tests wait for conditions, never for a fixed
//! time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The bounds of the pause between two questions, which is ten times as long as the answer took.
/// The hosts share the processors with the test, and a program that is started every ten
/// milliseconds uses up one processor.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(250);

/// The limit for what should happen within a second or two, on a machine that has other work as
/// well.
pub const PATIENCE: Duration = Duration::from_secs(60);

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
        let asked = Instant::now();
        if let Some(value) = ask()? {
            return Ok(value);
        }
        if begun.elapsed() >= deadline {
            bail!("waited {deadline:?} in vain: {what}");
        }
        thread::sleep((asked.elapsed() * 10).clamp(SHORTEST, LONGEST));
    }
}
