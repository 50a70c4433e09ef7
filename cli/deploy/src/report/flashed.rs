//! The progress of an image to a disk.

use std::time::Instant;

use super::{rate::Rate, words};
use crate::iso::flash::FlashStep;

/// The step in progress, if there is one.
#[derive(Default)]
pub struct Flashes {
    now: Option<(FlashStep, Rate)>,
}

impl Flashes {
    /// The text of the status line.
    pub fn at(
        &mut self,
        device: &str,
        step: FlashStep,
        [bytes, expected]: [u64; 2],
        now: Instant,
    ) -> String {
        let rate = match self.now {
            Some((same, rate)) if same == step => rate,
            _ => Rate::since(now),
        };
        self.now = Some((step, rate));
        let per_second = words::bytes(rate.per_second(bytes, now));
        let left = rate.left(bytes, expected, now).map(|left| format!(", {left} s left"));
        let [done, all] = [bytes, expected].map(words::bytes);
        let left = left.unwrap_or_default();
        format!("{device}: {} {done} of {all} ({per_second}/s{left})", words::flash_word(step))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_step_has_its_own_rate_and_rest() {
        let (mut flashes, began) = (Flashes::default(), Instant::now());
        let mut at = |step, mib: u64, seconds| {
            let now = began + Duration::from_secs(seconds);
            flashes.at("/dev/sdb", step, [mib << 20, 40 << 20], now)
        };
        at(FlashStep::Write, 0, 0);
        let writes = at(FlashStep::Write, 20, 4);
        assert_eq!(writes, "/dev/sdb: writing 20.0 MiB of 40.0 MiB (5.0 MiB/s, 4 s left)");
        at(FlashStep::Compare, 0, 8);
        let compares = at(FlashStep::Compare, 20, 10);
        assert_eq!(compares, "/dev/sdb: comparing 20.0 MiB of 40.0 MiB (10.0 MiB/s, 2 s left)");
    }
}
