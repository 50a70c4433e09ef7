//! Lines for a pipe or a file.

use std::time::Instant;

use super::{Detail, Event, Renderer, words};
use crate::tools::nix_log::Progress;

/// Prints one line for each thing that matters; a push at its end only.
pub struct Plain {
    detail: Detail,
    pushed: Option<Pushed>,
}

struct Pushed {
    machine: String,
    bytes: u64,
    since: Instant,
}

impl Plain {
    /// A printer of lines.
    pub fn new(detail: Detail) -> Self {
        Self { detail, pushed: None }
    }
}

impl Renderer for Plain {
    fn show(&mut self, event: &Event) {
        if let Event::Push { machine, progress: Progress::Copied { bytes, .. } } = event {
            let since = self.pushed.as_ref().map_or_else(Instant::now, |pushed| pushed.since);
            self.pushed = Some(Pushed { machine: machine.clone(), bytes: *bytes, since });
            return;
        }
        if !matches!(event, Event::Push { .. })
            && let Some(pushed) = self.pushed.take()
        {
            println!("{}", pushed_line(&pushed.machine, pushed.bytes, pushed.since));
        }
        for line in words::lines(event, self.detail) {
            println!("{line}");
        }
    }
}

/// What was pushed, with its rate.
pub fn pushed_line(machine: &str, bytes: u64, since: Instant) -> String {
    let milliseconds = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = bytes.saturating_mul(1000) / milliseconds;
    format!("{machine}: pushed {} ({}/s)", words::bytes(bytes), words::bytes(rate))
}
