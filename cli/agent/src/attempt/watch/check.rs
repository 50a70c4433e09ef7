//! Watching units and declared checks: after the switch until they can be judged, then until the
//! confirmation, and once more after it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use deploy_wire::{machine::Level, record::Record};

use super::{Watch, activate::foreign, commit, look_at_units::Looked, verdict::LookResult};
use crate::{
    attempt::{
        ledger::Happened,
        switch::{self, Step},
        transition::{Action, Event},
    },
    checks::Checks,
    clock,
    machine::{
        look,
        units::{definition::Definitions, snapshot::Snapshot},
    },
};

/// The pause between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// The first pause. What the switch started is often healthy a moment later. Each pause is twice as
/// long as the one before.
const FIRST: Duration = Duration::from_millis(100);

/// The state that is kept between looks.
pub struct Looking {
    units: Looked,
    since: Duration,
}

impl Watch<'_> {
    /// Watches until all units and checks are healthy.
    pub fn check(&mut self, record: &Record) -> Result<Option<Happened>> {
        let late = format!(", after {} s of checks", record.rules.timeouts.check);
        self.until_well(record, |_| {}, &late)
    }

    /// Continues to watch until the confirmation arrives.
    pub fn await_confirmation(&mut self, record: &Record) -> Result<Option<Happened>> {
        self.looking(record, |watch, looking| {
            loop {
                if let LookResult::GiveUp(happened) = watch.look(record, looking)? {
                    return Ok(Some(happened));
                }
                if is_deadline_over(record) {
                    return Ok(Some(Happened::because(
                        Event::DeadlinePassed,
                        say_that_nobody_confirmed(record),
                    )));
                }
                if !watch.wait_for_the_next_look(record, PERIOD)? {
                    return Ok(None);
                }
            }
        })
    }

    /// Runs every check once more, because an old result does not count.
    pub fn final_round(&mut self, record: &Record) -> Result<Option<Happened>> {
        let ask = |watch: &Self| watch.checks.iter().for_each(Checks::ask_all);
        self.until_well(record, ask, ", at the last look before the commit")
    }

    /// Looks repeatedly until everything is healthy, and calls `first` before each look. `late` is
    /// appended to the reason if that takes too long.
    fn until_well(
        &mut self,
        record: &Record,
        first: impl Fn(&Self),
        late: &str,
    ) -> Result<Option<Happened>> {
        self.looking(record, |watch, looking| {
            let mut pause = FIRST;
            loop {
                first(watch);
                let waits_for = match watch.look(record, looking)? {
                    LookResult::GiveUp(happened) => return Ok(Some(happened)),
                    LookResult::Well => return Ok(Some(watch.conclude_passed(record, looking))),
                    LookResult::NotYet(what) => what,
                };
                if is_deadline_over(record) {
                    let why = format!("{waits_for}{late}");
                    return Ok(Some(Happened::because(Event::DeadlinePassed, why)));
                }
                if !watch.wait_for_the_next_look(record, pause)? {
                    return Ok(None);
                }
                pause = PERIOD.min(pause * 2);
            }
        })
    }

    /// Everything is healthy. If the attempt ends here, as a `test` does, the event carries the
    /// notes.
    fn conclude_passed(&self, record: &Record, looking: &Looking) -> Happened {
        self.keep_passed(record);
        let mut notes = self.late_notes();
        notes.extend(looking.units.advisory());
        notes.extend(commit::note_of_confirmation(record));
        Happened { event: Event::Passed, why: None, notes }
    }

    /// Late checks that fail, as notes.
    pub fn late_notes(&self) -> Vec<String> {
        let failing = self.checks.as_ref().map(|checks| checks.failing(Level::Advisory));
        let failing = failing.unwrap_or_default().into_iter();
        failing
            .map(|(check, said)| {
                let said = said.unwrap_or_else(|| "it has not answered".into());
                format!("advisory check {} fails: {said}", check.name)
            })
            .collect()
    }

    /// Advisory units that were not healthy at the last look, as notes.
    pub fn advisory_notes(&self) -> Vec<String> {
        self.looking.iter().flat_map(|looking| looking.units.advisory()).collect()
    }

    /// Continues from the looks of the previous phase. Only the first look queries everything.
    fn looking<T>(
        &mut self,
        record: &Record,
        look: impl FnOnce(&mut Self, &mut Looking) -> Result<T>,
    ) -> Result<T> {
        let mut looking = match self.looking.take() {
            Some(looking) => looking,
            None => self.begin_looking(record)?,
        };
        let seen = look(self, &mut looking);
        self.looking = Some(looking);
        seen
    }

    fn begin_looking(&mut self, record: &Record) -> Result<Looking> {
        let agent = self.agent;
        let path = agent.ledger.snapshot_path();
        let before =
            Snapshot::read(&path)?.with_context(|| format!("{} is missing", path.display()))?;
        if self.checks.is_none() {
            let levelled = self.levelled(&record.rules.checks);
            let checks = Checks::start(&levelled, &self.events);
            self.checks = Some(checks);
        }
        let profiles = (0..record.profiles.len()).rev().map(Step::ActivateProfile);
        let since = profiles
            .chain([Step::Activate])
            .find_map(|step| switch::read_ending(self.attempt, step))
            .map_or_else(clock::boottime, |ending| Duration::from_millis(ending.boottime_ms));
        let definitions = Definitions::of(&record.ran, &record.wanted);
        Ok(Looking { units: Looked::since(before, definitions), since })
    }

    fn look(&self, record: &Record, looking: &mut Looking) -> Result<LookResult> {
        if !look::is_running(&record.wanted) {
            return Ok(LookResult::GiveUp(foreign("another tool switched the machine")));
        }
        if look::profile_is_foreign(record) {
            return Ok(LookResult::GiveUp(foreign("another tool set the system profile")));
        }
        let elapsed = clock::boottime().saturating_sub(looking.since);
        match looking.units.look(&record.rules.units, elapsed, &self.events) {
            Ok(LookResult::Well) => Ok(self.look_at_checks(looking.since)),
            Ok(other) => Ok(other),
            // A systemd that re-executes itself does not answer for a moment.
            Err(error) => Ok(LookResult::NotYet(format!("{error:#}"))),
        }
    }

    fn look_at_checks(&self, since: Duration) -> LookResult {
        let failing = self.checks.as_ref().map(|checks| checks.failing(Level::Required));
        let elapsed = clock::boottime().saturating_sub(since);
        let mut verdict = LookResult::Well;
        for (check, said) in failing.unwrap_or_default() {
            let Some(said) = said else {
                verdict = LookResult::NotYet(format!("check {} has not answered", check.name));
                continue;
            };
            let what = format!("check {} fails: {said}", check.name);
            if elapsed >= check.grace() {
                return LookResult::GiveUp(Happened::because(Event::Broken, what));
            }
            verdict = LookResult::NotYet(what);
        }
        verdict
    }

    /// Waits for the next look; `false` if another process moved the attempt.
    fn wait_for_the_next_look(&self, record: &Record, pause: Duration) -> Result<bool> {
        let end = clock::boottime() + pause;
        while clock::boottime() < end {
            if !self.is_unmoved(record)? {
                return Ok(false);
            }
            if is_deadline_over(record) {
                return Ok(true);
            }
            let left = record.deadline.map_or(pause, clock::left);
            self.changes.wait(left.min(end.saturating_sub(clock::boottime())));
        }
        Ok(true)
    }
}

/// The reason for a rollback if the deadline passed before the first look; `None` for actions that
/// no deadline ends.
pub fn why_late(action: Action, record: &Record) -> Option<String> {
    let limits = &record.rules.timeouts;
    Some(match action {
        Action::Activate => format!("the switch did not end within {} s", limits.activation),
        Action::Check => format!("units and checks were not well within {} s", limits.check),
        Action::AwaitConfirmation => say_that_nobody_confirmed(record),
        Action::FinalRound => {
            "the last look before the commit did not end before the deadline".to_owned()
        }
        _ => return None,
    })
}

fn say_that_nobody_confirmed(record: &Record) -> String {
    format!("no new SSH login confirmed within {} s", record.rules.confirm.timeout)
}

pub fn is_deadline_over(record: &Record) -> bool {
    record.deadline.is_some_and(|deadline| clock::left(deadline).is_zero())
}
