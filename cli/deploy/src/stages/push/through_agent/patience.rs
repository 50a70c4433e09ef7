//! How long a path is held back for what the machine is still to say of its base.

use std::time::{Duration, Instant};

/// What is waited for the names of the bases, which come beside the daemon's first answer.
const NAMES: Duration = Duration::from_millis(500);

/// What a push may wait in any case: a tenth of three seconds.
const FREE: f64 = 0.3;

/// The bytes of archives a second where nothing has shown another rate.
const RATE: f64 = 10e6;

/// Keeps what is waited within a part of what the push takes, and of what it saved: a push that
/// finds nothing is at most a tenth longer.
pub struct Patience {
    begun: Instant,
    waited: Duration,
    /// Bytes of archives that were sent, and those that were not because the machine has them.
    sent: u64,
    reused: u64,
}

impl Patience {
    pub fn new(now: Instant) -> Self {
        Self { begun: now, waited: Duration::ZERO, sent: 0, reused: 0 }
    }

    /// Takes note of a path that was sent.
    pub fn was_sent(&mut self, sent: u64, reused: u64) {
        self.sent += sent;
        self.reused += reused;
    }

    pub fn has_waited(&mut self, waited: Duration) {
        self.waited += waited;
    }

    /// How long a path with so many bytes may wait for its index.
    pub fn for_index(&self, bytes: u64, now: Instant) -> Duration {
        let elapsed = now.saturating_duration_since(self.begun);
        let sending = elapsed.saturating_sub(self.waited).as_secs_f64();
        let enough = self.sent > 1 << 20 && sending > 0.1;
        let rate = if enough { self.sent as f64 / sending } else { RATE };
        let allowed = FREE
            + 0.05 * elapsed.as_secs_f64()
            + (0.1 * bytes as f64 + 0.5 * self.reused as f64) / rate;
        Duration::from_secs_f64(allowed).saturating_sub(self.waited)
    }

    /// How long the first path may wait for the names.
    pub fn for_names(&self) -> Duration {
        NAMES.saturating_sub(self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_nothing_waits_for_a_tenth_at_most_and_what_finds_much_for_longer() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun);
        let mut now = begun;
        for _ in 0..100 {
            let bytes = 10_000_000;
            let wait = patience.for_index(bytes, now);
            patience.has_waited(wait);
            now += wait + Duration::from_secs(1);
            patience.was_sent(bytes, 0);
        }
        let share = patience.waited.as_secs_f64() / (now - begun).as_secs_f64();
        assert!(share > 0.03 && share < 0.1, "{share}");
        patience.was_sent(0, 100_000_000);
        assert!(patience.for_index(0, now) > Duration::from_secs(4));
    }
}
