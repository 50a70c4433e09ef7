//! The progress and the speed of a push.

use std::time::Instant;

use super::{Line, words};
use crate::tools::nix::log::Progress;

/// The push in progress, if there is one.
#[derive(Default)]
pub struct Pushes {
    now: Option<Push>,
}

struct Push {
    machine: String,
    bytes: u64,
    since: Instant,
}

impl Pushes {
    /// Records progress, and returns it as text once there is some.
    pub fn at(&mut self, machine: &str, progress: &Progress, now: Instant) -> Option<String> {
        let Progress::Copied { bytes, expected } = progress else { return None };
        let machine = machine.to_owned();
        let push = self.now.get_or_insert(Push { machine, bytes: 0, since: now });
        push.bytes = *bytes;
        let [done, all] = [*bytes, *expected].map(words::bytes);
        Some(format!("{}: pushing {done} of {all} ({}/s)", push.machine, push.rate(now)))
    }

    /// Ends the push, and returns its summary once.
    pub fn end(&mut self, now: Instant) -> Option<Line> {
        let push = self.now.take()?;
        let (bytes, rate) = (words::bytes(push.bytes), push.rate(now));
        Some(Line::plain(format!("{}: pushed {bytes} ({rate}/s)", push.machine)))
    }
}

impl Push {
    /// Bytes per second since the push began.
    fn rate(&self, now: Instant) -> String {
        let elapsed = now.saturating_duration_since(self.since).as_millis();
        let milliseconds = u64::try_from(elapsed).unwrap_or(u64::MAX).max(1);
        words::bytes(self.bytes.saturating_mul(1000) / milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bytes_and_rate_are_told_and_the_end_once() {
        let mut pushes = Pushes::default();
        let began = Instant::now();
        let copied = |bytes| Progress::Copied { bytes, expected: 4 << 20 };
        assert_eq!(
            pushes.at("frame1", &copied(0), began).unwrap(),
            "frame1: pushing 0 B of 4.0 MiB (0 B/s)"
        );
        assert_eq!(
            pushes.at("frame1", &copied(3 << 20), began + Duration::from_secs(2)).unwrap(),
            "frame1: pushing 3.0 MiB of 4.0 MiB (1.5 MiB/s)"
        );
        let end = pushes.end(began + Duration::from_secs(3)).unwrap();
        assert_eq!(end.text().as_str(), "frame1: pushed 3.0 MiB (1.0 MiB/s)");
        assert_eq!(pushes.end(began), None);
    }
}
