//! The observed runs of a unit that systemd restarts. Pure.
//!
//! Once the unit runs again, PID 1 has forgotten how its last run ended, so the result is kept
//! between looks.

use std::{collections::BTreeMap, time::Duration};

use super::snapshot::{Unit, Units};

/// The uncertainty of a run's length. A run may end and another begin between two looks, so each
/// end is known only to one look.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// The observed runs of all units.
#[derive(Debug, Default)]
pub struct UnitRuns(BTreeMap<String, UnitRun>);

/// The observed runs of one unit since the switch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitRun {
    /// How often systemd restarted the unit.
    pub restarts: u64,
    /// The result of the last run that failed; empty if no look saw its end.
    pub bad_end: Option<String>,
    /// Whether a run ended successfully.
    pub good_end: bool,
    /// systemd's own counter.
    count: u64,
    /// The time of the first look. The time that the unit ran before this deploy does not count.
    first_seen: Duration,
    /// The age of the present run since the first look.
    age: Duration,
    /// The length of the longest run that failed.
    longest: Duration,
}

impl UnitRuns {
    /// Adds a look; `now` is its time on `CLOCK_MONOTONIC`.
    pub fn see(&mut self, before: &Units, units: &Units, now: Duration) {
        self.0.retain(|name, _| units.contains_key(name));
        for (name, unit) in units {
            let count = before.get(name).map_or(0, |before| before.restarts);
            let new = || UnitRun { count, first_seen: now, ..UnitRun::default() };
            self.0.entry(name.clone()).or_insert_with(new).see(unit, now);
        }
    }

    /// The observed runs of a unit.
    pub fn of(&self, unit: &str) -> Option<&UnitRun> {
        self.0.get(unit)
    }
}

impl UnitRun {
    fn see(&mut self, unit: &Unit, now: Duration) {
        // A start by hand or by the switch resets systemd's counter to 0.
        if unit.restarts < self.count {
            *self = Self { first_seen: self.first_seen, ..Self::default() };
        }
        let restarted = unit.restarts - self.count;
        self.restarts += restarted;
        self.count = unit.restarts;
        let waits = unit.sub.starts_with("auto-restart");
        // A missed end is no evidence against a unit whose observed runs end successfully.
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

    /// Whether the unit came up after all: it finished successfully, or its run has lasted longer
    /// than any run that failed, and at least `watch`.
    pub fn came_up(&self, unit: &Unit, watch: Duration) -> bool {
        let done = unit.active == "inactive" || unit.sub == "exited";
        (done && is_good_end(&unit.result))
            || (unit.is_active() && self.age >= self.must_live(watch))
    }

    /// How long a run must last to count as success.
    pub fn must_live(&self, watch: Duration) -> Duration {
        let longer = self.longest + BETWEEN_LOOKS;
        if self.longest.is_zero() { watch } else { watch.max(longer) }
    }
}

/// Whether a unit's `Result` is not a failure.
pub fn is_good_end(result: &str) -> bool {
    matches!(result, "success" | "" | "exec-condition" | "condition")
}
