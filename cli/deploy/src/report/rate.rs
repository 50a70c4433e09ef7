//! How fast bytes go, and how long the rest takes.

use std::time::{Duration, Instant};

/// How long the rate says nothing about the rest.
pub const SETTLED: Duration = Duration::from_secs(2);

/// Bytes that are counted since a moment.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    since: Instant,
}

impl Rate {
    /// Begins to count.
    pub fn since(since: Instant) -> Self {
        Self { since }
    }

    /// Bytes per second since the beginning.
    pub fn per_second(&self, bytes: u64, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.since).as_millis();
        let milliseconds = u64::try_from(elapsed).unwrap_or(u64::MAX).max(1);
        bytes.saturating_mul(1000) / milliseconds
    }

    /// The seconds until all is done, at the rate so far. None in the first two seconds.
    pub fn left(&self, bytes: u64, all: u64, now: Instant) -> Option<u64> {
        let settled = now.saturating_duration_since(self.since) >= SETTLED;
        all.saturating_sub(bytes).checked_div(self.per_second(bytes, now)).filter(|_| settled)
    }
}
