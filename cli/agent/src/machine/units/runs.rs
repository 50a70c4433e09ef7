//! What was seen of the runs of a unit that systemd restarts by itself, pure.
//!
//! Once a unit runs again PID 1 has forgotten how the run before ended, so it is kept from one
//! look to the next.

use std::{collections::BTreeMap, time::Duration};

use super::snapshot::{Unit, Units};

/// Between two looks a run may end and another begin; how long the former lived is known to a
/// look at each end.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What was seen of each unit's runs.
#[derive(Debug, Default)]
pub struct UnitRuns(BTreeMap<String, UnitRun>);

/// What was seen of a unit's runs since the switch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitRun {
    /// How often systemd restarted it.
    pub restarts: u64,
    /// How the last run that did not end well ended; empty where its end was missed.
    pub bad_end: Option<String>,
    /// Whether a run was seen to end well.
    pub good_end: bool,
    /// systemd's own count.
    count: u64,
    /// When it was looked at first: how long it lived before this deploy does not count.
    first_seen: Duration,
    /// How old the present run is, since then.
    age: Duration,
    /// How long the longest run lived that did not end well.
    longest: Duration,
}

impl UnitRuns {
    /// Takes in a look; `now` is the time of the units, on `CLOCK_MONOTONIC`.
    pub fn see(&mut self, before: &Units, units: &Units, now: Duration) {
        self.0.retain(|name, _| units.contains_key(name));
        for (name, unit) in units {
            let count = before.get(name).map_or(0, |before| before.restarts);
            let new = || UnitRun { count, first_seen: now, ..UnitRun::default() };
            self.0.entry(name.clone()).or_insert_with(new).see(unit, now);
        }
    }

    /// What was seen of a unit.
    pub fn of(&self, unit: &str) -> Option<&UnitRun> {
        self.0.get(unit)
    }
}

impl UnitRun {
    fn see(&mut self, unit: &Unit, now: Duration) {
        // A start by hand, the switch's among them, sets systemd's count to 0.
        if unit.restarts < self.count {
            *self = Self { first_seen: self.first_seen, ..Self::default() };
        }
        let restarted = unit.restarts - self.count;
        self.restarts += restarted;
        self.count = unit.restarts;
        let waits = unit.sub.starts_with("auto-restart");
        // That the end was missed says nothing of a unit which ends well when it is seen.
        if restarted > 0 && !waits && !self.good_end && self.bad_end.is_none() {
            self.bad_end = Some(String::new());
        }
        if waits && is_good_end(&unit.result) {
            self.good_end = true;
        } else if waits {
            self.bad_end = Some(unit.result.clone());
        }
        if restarted > 0 || waits {
            self.longest = self.longest.max(self.age);
        }
        let began = self.first_seen.max(Duration::from_micros(unit.changed_us));
        let age = now.saturating_sub(began);
        self.age = if unit.is_active() { age } else { Duration::ZERO };
    }

    /// Whether it came up after all: it ended its work well, or lives longer than it did
    /// before, and `watch` at least.
    pub fn came_up(&self, unit: &Unit, watch: Duration) -> bool {
        let done = unit.active == "inactive" || unit.sub == "exited";
        (done && is_good_end(&unit.result))
            || (unit.is_active() && self.age >= self.must_live(watch))
    }

    /// How long a run must live to count.
    pub fn must_live(&self, watch: Duration) -> Duration {
        let longer = self.longest + BETWEEN_LOOKS;
        if self.longest.is_zero() { watch } else { watch.max(longer) }
    }
}

/// Whether a unit's `Result` is none of a failure.
pub fn is_good_end(result: &str) -> bool {
    matches!(result, "success" | "" | "exec-condition" | "condition")
}
