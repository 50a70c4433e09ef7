//! Switching to the wanted system, and judging the result.

use std::{fs, path::PathBuf};

use anyhow::Result;
use deploy_wire::{record::Record, store_path::StorePath};

use super::{Watch, steps::Waited};
use crate::{
    attempt::{
        ledger::Happened,
        running::{self, Started},
        switch::{self, Progress, Step},
        transition::{Event, RunningSystem},
    },
    clock,
    machine::{look, units::snapshot::Snapshot},
    tools::pid1::{self, Job},
};

impl Watch<'_> {
    /// Switches and judges what the machine runs then.
    pub fn activate(&mut self, record: &Record) -> Result<Option<Happened>> {
        if record.profiles_alone {
            return self.activate_profiles(record);
        }
        let begun = switch::progress(self.attempt, Step::Activate)?;
        // No lock was held since `stage`, so another tool may have switched:
        // `another-tool-that-switches-before-the-switch-has-the-machine` proves it.
        if begun == Progress::NotBegun {
            if !look::is_running(&record.ran) {
                return Ok(Some(foreign("another system was switched to before this one")));
            }
            if look::profile_is_foreign(record) {
                return Ok(Some(foreign("somebody else set the system profile")));
            }
        }
        let limit = record.deadline.map(clock::left).unwrap_or_default();
        let waited = self.wait_for(Step::Activate, limit, || self.is_unmoved(record))?;
        let happened = match waited {
            Waited::Moved => None,
            Waited::TooLong => {
                let jobs = self.jobs_of_the_switch();
                let why = too_long(record.rules.timeouts.activation, &jobs);
                Some(Happened::because(Event::DeadlinePassed, why))
            }
            Waited::Vanished => {
                Some(Happened::because(Event::SwitchFailed, "the switch was killed"))
            }
            Waited::Ended(ending) => Some(judge(ending.status, &SwitchResult::of(record))),
        };
        match happened {
            Some(Happened { event: Event::Switched, .. }) => self.activate_profiles(record),
            other => Ok(other),
        }
    }
}

impl Watch<'_> {
    /// The jobs that the switch queued and that still run, such as a oneshot that pulls an image.
    /// Empty if PID 1 does not answer.
    fn jobs_of_the_switch(&self) -> Vec<Job> {
        let before = Snapshot::read(&self.agent.ledger.snapshot_path()).ok().flatten();
        let before = before.map(|snapshot| snapshot.jobs).unwrap_or_default();
        let jobs = pid1::jobs().unwrap_or_default().into_iter();
        let is_own = |job: &Job| job.unit.starts_with("deploy-");
        jobs.filter(|job| job.runs && !is_own(job) && !before.contains(&job.id)).collect()
    }
}

/// The most jobs that a message names.
const NAMED: usize = 3;

/// Why the switch took too long, with the jobs that it waits for.
fn too_long(limit: u64, jobs: &[Job]) -> String {
    let gone = format!("the switch did not end within {limit} s");
    let does = |job: &Job| match job.kind.as_str() {
        "start" | "verify-active" => format!("{} still starts", job.unit),
        "stop" => format!("{} still stops", job.unit),
        kind => format!("{} still has a job ({kind})", job.unit),
    };
    let named: Vec<String> = jobs.iter().take(NAMED).map(does).collect();
    let more = match jobs.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    match named.is_empty() {
        true => gone,
        false => format!(
            "{gone}: {}{more}; `timeouts.activation` (deploy-rs: activationTimeout) gives them more",
            named.join(", ")
        ),
    }
}

/// The event for a switch by another tool.
pub fn foreign(why: &str) -> Happened {
    Happened::because(Event::Foreign, why)
}

/// The state of the machine after a switch.
struct SwitchResult {
    runs: RunningSystem,
    etc: Etc,
}

/// The system that `/etc` belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Etc {
    Wanted,
    Before,
    Other,
    /// `/etc/static` does not exist, as with an overlay.
    NotTold,
}

impl SwitchResult {
    fn of(record: &Record) -> Self {
        let etc_of = |system: &StorePath| fs::canonicalize(format!("{system}/etc")).ok();
        let etc = match look::etc().map(PathBuf::from) {
            None => Etc::NotTold,
            now if now == etc_of(&record.wanted) => Etc::Wanted,
            now if now == etc_of(&record.ran) => Etc::Before,
            _ => Etc::Other,
        };
        Self { runs: running::runs_for(record, Started::Before), etc }
    }
}

/// Judges a switch by the machine's state. The status alone decides nothing: 1 may mean half a
/// switch, 4 may be an old failure, and the running system is set despite failures.
fn judge(status: Option<i32>, seen: &SwitchResult) -> Happened {
    let untouched =
        seen.runs == RunningSystem::Before && matches!(seen.etc, Etc::Before | Etc::NotTold);
    let arrived =
        seen.runs == RunningSystem::Wanted && matches!(seen.etc, Etc::Wanted | Etc::NotTold);
    let why = format!("the switch ended with {}", crate::tools::process::told_status(status));
    match status {
        Some(11) if untouched => {
            Happened::because(Event::SwitchRefused, "another switch holds the lock (status 11)")
        }
        Some(100) if untouched => Happened::because(
            Event::SwitchRefused,
            "the new system needs a reboot: its init is incompatible (status 100)",
        ),
        _ if seen.runs == RunningSystem::Other => foreign("another system runs after the switch"),
        // Status 4 means that some unit is failed. The rule about units decides whether this deploy
        // broke it.
        Some(0 | 4) if arrived => Event::Switched.into(),
        Some(0 | 4) if seen.runs != RunningSystem::Wanted => Happened::because(
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

    fn event(status: Option<i32>, runs: RunningSystem, etc: Etc) -> Event {
        judge(status, &SwitchResult { runs, etc }).event
    }

    #[test]
    fn the_running_system_and_etc_decide_together_with_the_status() {
        assert_eq!(event(Some(0), RunningSystem::Wanted, Etc::Wanted), Event::Switched);
        assert_eq!(event(Some(4), RunningSystem::Wanted, Etc::NotTold), Event::Switched);
        assert_eq!(event(Some(0), RunningSystem::Before, Etc::Before), Event::SwitchFailed);
        assert_eq!(event(Some(0), RunningSystem::Wanted, Etc::Before), Event::SwitchFailed);
        assert_eq!(event(Some(2), RunningSystem::Wanted, Etc::Wanted), Event::SwitchFailed);
        assert_eq!(event(Some(1), RunningSystem::Before, Etc::Before), Event::SwitchFailed);
        assert_eq!(event(None, RunningSystem::Wanted, Etc::Wanted), Event::SwitchFailed);
        assert_eq!(event(Some(0), RunningSystem::Other, Etc::Other), Event::Foreign);
    }

    #[test]
    fn a_switch_that_takes_too_long_names_what_it_waits_for() {
        let job = |unit: &str, kind: &str| Job {
            id: 1,
            unit: unit.into(),
            kind: kind.into(),
            runs: true,
        };
        assert_eq!(too_long(12, &[]), "the switch did not end within 12 s");
        let jobs =
            [job("pull.service", "start"), job("a.mount", "stop"), job("b.service", "restart")];
        let hint = "; `timeouts.activation` (deploy-rs: activationTimeout) gives them more";
        assert_eq!(
            too_long(12, &jobs),
            format!(
                "the switch did not end within 12 s: pull.service still starts, a.mount still \
                 stops, b.service still has a job (restart){hint}"
            )
        );
        let many = [jobs.as_slice(), &[job("c.service", "start")]].concat();
        assert!(too_long(12, &many).ends_with(&format!("(restart), and 1 more{hint}")));
    }

    #[test]
    fn a_refusal_counts_as_one_only_if_nothing_was_touched() {
        for status in [11, 100] {
            assert_eq!(
                event(Some(status), RunningSystem::Before, Etc::Before),
                Event::SwitchRefused
            );
            assert_eq!(
                event(Some(status), RunningSystem::Wanted, Etc::Wanted),
                Event::SwitchFailed
            );
            assert_eq!(event(Some(status), RunningSystem::Before, Etc::Other), Event::SwitchFailed);
        }
    }
}
