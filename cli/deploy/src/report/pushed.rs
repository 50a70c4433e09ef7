//! The progress and the speed of a push.

use std::time::{Duration, Instant};

use super::{Line, words};
use crate::tools::nix::log::Progress;

/// How long the rate says nothing about the rest.
const SETTLED: Duration = Duration::from_secs(2);

/// The push in progress, if there is one.
#[derive(Default)]
pub struct Pushes {
    now: Option<Push>,
}

struct Push {
    machine: String,
    bytes: u64,
    on_the_wire: Option<u64>,
    since: Instant,
}

impl Pushes {
    /// Records progress, and returns it as text once there is some.
    pub fn at(
        &mut self,
        machine: &str,
        progress: &Progress,
        on_the_wire: Option<u64>,
        now: Instant,
    ) -> Option<String> {
        let Progress::Copied { bytes, expected } = progress else { return None };
        let machine = machine.to_owned();
        let push = self.now.get_or_insert(Push { machine, bytes: 0, on_the_wire, since: now });
        (push.bytes, push.on_the_wire) = (*bytes, on_the_wire);
        let [done, all] = [*bytes, *expected].map(words::bytes);
        let left = push.left(*expected, now).map(|left| format!(", {left} s left"));
        let how = format!("{}{}", push.how(now), left.unwrap_or_default());
        Some(format!("{}: pushing {done} of {all} ({how})", push.machine))
    }

    /// Ends the push, and returns its summary once.
    pub fn end(&mut self, now: Instant) -> Option<Line> {
        let push = self.now.take()?;
        let (bytes, how) = (words::bytes(push.bytes), push.how(now));
        Some(Line::plain(format!("{}: pushed {bytes} ({how})", push.machine)))
    }
}

impl Push {
    /// The rate, and the bytes on the wire where they are fewer.
    fn how(&self, now: Instant) -> String {
        let wire = self.on_the_wire.map(|sent| format!(", {} on the wire", words::bytes(sent)));
        format!("{}/s{}", words::bytes(self.rate(now)), wire.unwrap_or_default())
    }

    /// Bytes per second since the push began.
    fn rate(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.since).as_millis();
        let milliseconds = u64::try_from(elapsed).unwrap_or(u64::MAX).max(1);
        self.bytes.saturating_mul(1000) / milliseconds
    }

    /// The seconds until all is pushed, at the rate so far. None in the first two seconds.
    fn left(&self, all: u64, now: Instant) -> Option<u64> {
        let settled = now.saturating_duration_since(self.since) >= SETTLED;
        all.saturating_sub(self.bytes).checked_div(self.rate(now)).filter(|_| settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_rate_are_told_and_the_end_once() {
        let mut pushes = Pushes::default();
        let began = Instant::now();
        let copied = |bytes| Progress::Copied { bytes, expected: 4 << 20 };
        assert_eq!(
            pushes.at("frame1", &copied(0), None, began).unwrap(),
            "frame1: pushing 0 B of 4.0 MiB (0 B/s)"
        );
        assert_eq!(
            pushes.at("frame1", &copied(2 << 20), Some(9), began + SETTLED).unwrap(),
            "frame1: pushing 2.0 MiB of 4.0 MiB (1.0 MiB/s, 9 B on the wire, 2 s left)"
        );
        let later = began + Duration::from_secs(3);
        assert_eq!(
            pushes.at("frame1", &copied(3 << 20), Some(1 << 20), later).unwrap(),
            "frame1: pushing 3.0 MiB of 4.0 MiB (1.0 MiB/s, 1.0 MiB on the wire, 1 s left)"
        );
        let end = pushes.end(began + Duration::from_secs(3)).unwrap();
        assert_eq!(end.text().as_str(), "frame1: pushed 3.0 MiB (1.0 MiB/s, 1.0 MiB on the wire)");
        assert_eq!(pushes.end(began), None);
    }
}
