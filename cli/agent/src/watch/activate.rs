//! Switching to the wanted system, and judging what became of it.

use std::{fs, path::PathBuf};

use anyhow::Result;
use deploy_wire::{record::Record, store_path::StorePath};

use super::{Watch, steps::Waited};
use crate::{
    clock,
    ledger::Happened,
    look::{self, Started},
    switch::{self, Progress, Step},
    transition::{Event, Runs},
};

impl Watch<'_> {
    /// Switches, and says what the machine is then.
    pub fn activate(&mut self, record: &Record) -> Result<Option<Happened>> {
        let begun = switch::progress(self.attempt, Step::Activate)?;
        // Nothing was locked since `stage`:
        // `another-tool-that-switches-before-the-switch-has-the-machine` proves it.
        if begun == Progress::NotBegun {
            if !look::runs(&record.ran) {
                return Ok(Some(foreign("another system was switched to before this one")));
            }
            if look::profile_is_foreign(record) {
                return Ok(Some(foreign("somebody else set the system profile")));
            }
        }
        let limit = record.deadline.map(clock::left).unwrap_or_default();
        let waited = self.wait_for(Step::Activate, limit, || self.unmoved(record))?;
        Ok(match waited {
            Waited::Moved => None,
            Waited::TooLong => Some(Happened::because(
                Event::DeadlinePassed,
                format!("the switch did not end within {} s", record.rules.timeouts.activation),
            )),
            Waited::Vanished => {
                Some(Happened::because(Event::SwitchFailed, "the switch was killed"))
            }
            Waited::Ended(ending) => Some(judge(ending.status, &Seen::of(record))),
        })
    }
}

/// Another tool has the machine.
pub fn foreign(why: &str) -> Happened {
    Happened::because(Event::Foreign, why)
}

/// What the machine shows after a switch.
struct Seen {
    runs: Runs,
    etc: Etc,
}

/// Whose `/etc` it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Etc {
    Wanted,
    Before,
    Other,
    /// There is no `/etc/static`, as with an overlay.
    NotTold,
}

impl Seen {
    fn of(record: &Record) -> Self {
        let etc_of = |system: &StorePath| fs::canonicalize(format!("{system}/etc")).ok();
        let etc = match look::etc().map(PathBuf::from) {
            None => Etc::NotTold,
            now if now == etc_of(&record.wanted) => Etc::Wanted,
            now if now == etc_of(&record.ran) => Etc::Before,
            _ => Etc::Other,
        };
        Self { runs: look::runs_for(record, Started::Before), etc }
    }
}

/// The status alone decides nothing: 1 may be half a switch, 4 may be an old
/// failure, and the running system is set in spite of failures.
fn judge(status: Option<i32>, seen: &Seen) -> Happened {
    let untouched = seen.runs == Runs::Before && matches!(seen.etc, Etc::Before | Etc::NotTold);
    let arrived = seen.runs == Runs::Wanted && matches!(seen.etc, Etc::Wanted | Etc::NotTold);
    let why = format!("the switch ended with {}", switch::told_status(status));
    match status {
        Some(11) if untouched => {
            Happened::because(Event::SwitchRefused, "another switch holds the lock (status 11)")
        }
        Some(100) if untouched => Happened::because(
            Event::SwitchRefused,
            "the new system needs a reboot: its init is incompatible (status 100)",
        ),
        _ if seen.runs == Runs::Other => foreign("another system runs after the switch"),
        // 4: some unit is failed now; whether this deploy did it, the unit rule
        // says.
        Some(0 | 4) if arrived => Event::Switched.into(),
        Some(0 | 4) if seen.runs != Runs::Wanted => Happened::because(
            Event::SwitchFailed,
            format!("{why}, but the new system is not the running one"),
        ),
        Some(0 | 4) => Happened::because(
            Event::SwitchFailed,
            format!("{why}, but /etc is not the new system's"),
        ),
        Some(2) => Happened::because(
            Event::SwitchFailed,
            format!("{why}: a part of the activation script failed"),
        ),
        _ => Happened::because(Event::SwitchFailed, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(status: Option<i32>, runs: Runs, etc: Etc) -> Event {
        judge(status, &Seen { runs, etc }).event
    }

    #[test]
    fn the_running_system_and_etc_decide_together_with_the_status() {
        assert_eq!(event(Some(0), Runs::Wanted, Etc::Wanted), Event::Switched);
        assert_eq!(event(Some(4), Runs::Wanted, Etc::NotTold), Event::Switched);
        assert_eq!(event(Some(0), Runs::Before, Etc::Before), Event::SwitchFailed);
        assert_eq!(event(Some(0), Runs::Wanted, Etc::Before), Event::SwitchFailed);
        assert_eq!(event(Some(2), Runs::Wanted, Etc::Wanted), Event::SwitchFailed);
        assert_eq!(event(Some(1), Runs::Before, Etc::Before), Event::SwitchFailed);
        assert_eq!(event(None, Runs::Wanted, Etc::Wanted), Event::SwitchFailed);
        assert_eq!(event(Some(0), Runs::Other, Etc::Other), Event::Foreign);
    }

    #[test]
    fn a_refusal_counts_as_one_only_if_nothing_was_touched() {
        for status in [11, 100] {
            assert_eq!(event(Some(status), Runs::Before, Etc::Before), Event::SwitchRefused);
            assert_eq!(event(Some(status), Runs::Wanted, Etc::Wanted), Event::SwitchFailed);
            assert_eq!(event(Some(status), Runs::Before, Etc::Other), Event::SwitchFailed);
        }
    }
}
