//! The progress and the speed of a push.

use std::time::Instant;

use super::{Carried, Line, rate::Rate, words};
use crate::tools::nix::log::Progress;

/// The push in progress, if there is one.
#[derive(Default)]
pub struct Pushes {
    now: Option<Push>,
}

struct Push {
    machine: String,
    bytes: u64,
    carried: Option<Carried>,
    rate: Rate,
}

impl Pushes {
    /// Records progress, and returns it as text once there is some.
    pub fn at(
        &mut self,
        machine: &str,
        progress: &Progress,
        carried: Option<Carried>,
        now: Instant,
    ) -> Option<String> {
        let Progress::Copied { bytes, expected } = progress else { return None };
        let machine = machine.to_owned();
        let rate = Rate::since(now);
        let push = self.now.get_or_insert(Push { machine, bytes: 0, carried, rate });
        (push.bytes, push.carried) = (*bytes, carried);
        let [done, all] = [*bytes, *expected].map(words::bytes);
        let left =
            push.rate.left(push.bytes, *expected, now).map(|left| format!(", {left} s left"));
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
    /// The rate, the bytes on the wire where they are fewer, and what the machine had.
    fn how(&self, now: Instant) -> String {
        let rate = words::bytes(self.rate.per_second(self.bytes, now));
        let Some(Carried { on_the_wire, reused }) = self.carried else {
            return format!("{rate}/s");
        };
        let had =
            if reused > 0 { format!(", {} reused", words::bytes(reused)) } else { String::new() };
        format!("{rate}/s, {} on the wire{had}", words::bytes(on_the_wire))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::rate::SETTLED;

    #[test]
    fn bytes_and_rate_are_told_and_the_end_once() {
        let mut pushes = Pushes::default();
        let began = Instant::now();
        let carried = |on_the_wire, reused| Carried { on_the_wire, reused };
        let copied = |bytes| Progress::Copied { bytes, expected: 4 << 20 };
        assert_eq!(
            pushes.at("frame1", &copied(0), None, began).unwrap(),
            "frame1: pushing 0 B of 4.0 MiB (0 B/s)"
        );
        assert_eq!(
            pushes.at("frame1", &copied(2 << 20), Some(carried(9, 0)), began + SETTLED).unwrap(),
            "frame1: pushing 2.0 MiB of 4.0 MiB (1.0 MiB/s, 9 B on the wire, 2 s left)"
        );
        let later = began + Duration::from_secs(3);
        assert_eq!(
            pushes.at("frame1", &copied(3 << 20), Some(carried(1 << 20, 2 << 20)), later).unwrap(),
            "frame1: pushing 3.0 MiB of 4.0 MiB (1.0 MiB/s, 1.0 MiB on the wire, 2.0 MiB reused, 1 s left)"
        );
        let end = pushes.end(began + Duration::from_secs(3)).unwrap();
        assert_eq!(
            end.text().as_str(),
            "frame1: pushed 3.0 MiB (1.0 MiB/s, 1.0 MiB on the wire, 2.0 MiB reused)"
        );
        assert_eq!(pushes.end(began), None);
    }
}
