//! The records on the disk. Every change of an attempt goes through here.
//!
//! The watching service, the timer, `serve` and a person at the console race at a deadline. Each of
//! them offers an event. Under the lock the record is read again, the state machine decides, and
//! the result is on the disk before anybody acts on it.

use std::{fs, path::PathBuf};

use anyhow::{Result, anyhow};
use deploy_wire::{
    attempt::AttemptId,
    baseline::Confirmed,
    event::Event as Told,
    outcome::{End, Outcome},
    record::{Boot, Record},
};

use crate::{
    attempt::transition::{AttemptState, Event, PhaseOrEnd},
    clock,
    machine::{look, profiles, units::snapshot::Snapshot},
    storage::{
        events::Events,
        files,
        lock::Lock,
        paths::{STATE, VOLATILE},
    },
};

/// The number of ended attempts that are kept.
const KEPT: usize = 50;

/// The folder of records.
#[derive(Debug, Clone)]
pub struct Ledger {
    folder: PathBuf,
    volatile: PathBuf,
}

/// An event with the texts for the operator.
#[derive(Debug)]
pub struct Happened {
    pub event: Event,
    /// The reason, if the event causes a rollback.
    pub why: Option<String>,
    /// Notes for the operator.
    pub notes: Vec<String>,
}

impl From<Event> for Happened {
    fn from(event: Event) -> Self {
        Self { event, why: None, notes: Vec::new() }
    }
}

impl Happened {
    /// An event with its reason.
    pub fn because(event: Event, why: impl Into<String>) -> Self {
        Self { event, why: Some(why.into()), notes: Vec::new() }
    }
}

impl Ledger {
    /// The machine's own ledger.
    pub fn open() -> Self {
        Self { folder: PathBuf::from(STATE), volatile: PathBuf::from(VOLATILE) }
    }

    /// Restricts the permissions of files that an older agent left readable by other users.
    pub fn close_to_others(&self) {
        for folder in [&self.folder, &self.path("attempts"), &self.volatile] {
            if folder.exists()
                && let Err(error) = files::private_folder(folder)
            {
                eprintln!("{error:#}");
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The file with the units at `stage`.
    pub fn snapshot_path(&self) -> PathBuf {
        self.path("units.json")
    }

    fn lock(&self) -> Result<Lock> {
        files::private_folder(&self.folder)?;
        files::private_folder(&self.path("attempts"))?;
        Lock::take(&self.path("lock"))
    }

    /// Takes the lock for staging; `None` while another `serve` holds it.
    pub fn lock_for_staging(&self) -> Result<Option<Lock>> {
        files::private_folder(&self.volatile)?;
        Lock::try_take(&self.volatile.join("stage.lock"))
    }

    /// The open attempt, or else the last one.
    pub fn record(&self) -> Result<Option<Record>> {
        files::read_json(&self.path("attempt.json"))
    }

    /// The record of the attempt with this id.
    pub fn find(&self, attempt: &AttemptId) -> Result<Option<Record>> {
        match self.record()? {
            Some(record) if record.attempt == *attempt => Ok(Some(record)),
            _ => files::read_json(&self.archived(attempt)),
        }
    }

    fn archived(&self, attempt: &AttemptId) -> PathBuf {
        self.path(&format!("attempts/{attempt}.json"))
    }

    /// Writes the record of a new attempt. The last attempt's record moves to the archive.
    pub fn begin(&self, record: &Record, units: &Snapshot) -> Result<()> {
        let locked = self.lock()?;
        files::reserve(&self.folder)?;
        if let Some(last) = self.record()? {
            self.archive(&last)?;
        }
        files::write_json(&self.snapshot_path(), units)?;
        files::write_json_under(&locked, &self.path("attempt.json"), record)
    }

    /// Offers an event that the agent derived from the record `seen`, as in compare-and-swap.
    /// Returns the new record if the state machine moved; `None` if the event has no effect in this
    /// state, or if another process moved the attempt since. The deadline of one phase must not end
    /// the next one: `of_two_that_race_at_the_deadline_exactly_one_is_taken`.
    pub fn offer(
        &self,
        seen: &Record,
        boot: &Boot,
        happened: Happened,
        change: impl FnOnce(&mut Record),
    ) -> Result<Option<Record>> {
        let locked = self.lock()?;
        let Some(mut record) = self.record()?.filter(|record| is_in_the_state_of(record, seen))
        else {
            return Ok(None);
        };
        let (event, happened) = (happened.event, replace_if_late(&record, happened));
        let Some(state) = AttemptState::of(&record).after(happened.event) else { return Ok(None) };
        let phase = state.place.phase();
        let same_phase = phase == record.phase && record.boot == *boot;
        if event == happened.event {
            change(&mut record);
        }
        record.phase = phase;
        record.rebooted |= state.place == PhaseOrEnd::Rebooting;
        record.boot = boot.clone();
        if !same_phase {
            record.deadline = record.rules.limit(phase).map(clock::deadline_in);
        }
        if happened.why.is_some() {
            record.why = happened.why;
        }
        if let Some(end) = state.place.end() {
            let notes = [happened.notes, profiles::describe_left(&record, end)].concat();
            record.outcome = Some(outcome(end, record.why.clone(), notes));
        }
        files::write_json_under(&locked, &self.path("attempt.json"), &record)?;
        if !same_phase {
            Events::in_folder(&self.volatile.join(record.attempt.as_str())).tell(&Told::Phase {
                phase,
                seconds_left: record.deadline.map(clock::seconds_left),
                why: record.why.clone(),
            });
        }
        if !record.is_open() {
            self.archive(&record)?;
        }
        Ok(Some(record))
    }

    /// Changes fields of a record without moving the attempt.
    pub fn remember(
        &self,
        attempt: &AttemptId,
        change: impl FnOnce(&mut Record),
    ) -> Result<Record> {
        let locked = self.lock()?;
        let mut record = self
            .record()?
            .filter(|record| record.attempt == *attempt && record.is_open())
            .ok_or_else(|| anyhow!("attempt {attempt} is not open"))?;
        change(&mut record);
        files::write_json_under(&locked, &self.path("attempt.json"), &record)?;
        Ok(record)
    }

    /// Archives an ended attempt and keeps the last [`KEPT`] ones. The events of older attempts are
    /// deleted, because they would fill /run on a machine that never restarts:
    /// `a-thousand-changing-deploys-leave-nothing-behind` proves it.
    fn archive(&self, record: &Record) -> Result<()> {
        let path = self.archived(&record.attempt);
        if !path.exists() {
            files::write_json(&path, record)?;
        }
        let mut kept: Vec<_> = fs::read_dir(self.path("attempts"))?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .collect();
        kept.sort();
        let too_many = kept.len().saturating_sub(KEPT);
        for (_, path) in kept.into_iter().take(too_many) {
            if let Some(attempt) = path.file_stem() {
                // The events may be missing: they do not survive a boot.
                let _ = fs::remove_dir_all(self.volatile.join(attempt));
            }
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// The confirmed system.
    pub fn confirmed(&self) -> Result<Option<Confirmed>> {
        files::read_json(&self.path("confirmed.json"))
    }

    /// Writes the confirmed system.
    pub fn confirm(&self, confirmed: &Confirmed) -> Result<()> {
        files::write_json(&self.path("confirmed.json"), confirmed)
    }
}

/// Replaces an event that leads to the commit by `DeadlinePassed` if it comes after the phase's
/// deadline. It does not matter what took so long; the operator may already have been told that the
/// machine rolls back. Proved by `what_comes_after_the_deadline_keeps_nothing`.
fn replace_if_late(record: &Record, happened: Happened) -> Happened {
    let late = record.deadline.is_some_and(|deadline| clock::left(deadline).is_zero());
    let keeps = matches!(happened.event, Event::Switched | Event::Passed | Event::Confirmed);
    match happened.event {
        event if late && keeps => {
            let what = match event {
                Event::Switched => "the switch ended",
                Event::Confirmed => "the confirmation came",
                _ => "the checks passed",
            };
            Happened::because(Event::DeadlinePassed, format!("{what} after the deadline"))
        }
        _ => happened,
    }
}

/// Whether two records are of the same attempt, in the same state and the same boot.
fn is_in_the_state_of(record: &Record, seen: &Record) -> bool {
    record.attempt == seen.attempt
        && record.boot == seen.boot
        && AttemptState::of(record) == AttemptState::of(seen)
}

/// Looks at the machine and fills in the outcome of an ended attempt. If the attempt was committed
/// after all, the reason becomes a note.
fn outcome(end: End, why: Option<String>, mut notes: Vec<String>) -> Outcome {
    let why = if end == End::Committed {
        notes.extend(why);
        None
    } else {
        why
    };
    let (runs, boots) = (look::running(), look::boots());
    let generation = match (end, boots.known().or(runs.as_ref())) {
        (End::Committed, _) => look::profile().generation,
        (_, boots) => boots.and_then(look::generation_of),
    };
    Outcome { end, why, runs, boots, generation, notes }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
