//! The records on disk, and the one door through which an attempt moves.
//!
//! The watching service, the timer, `serve` and a person at the console race at
//! a deadline. Each of them offers an event; under the lock the record is read
//! anew, the state machine decides, and the result is durable before anybody
//! acts on it.

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

/// Ended attempts that are kept.
const KEPT: usize = 50;

/// The folder of records.
#[derive(Debug, Clone)]
pub struct Ledger {
    folder: PathBuf,
    volatile: PathBuf,
}

/// An event with what people are told of it.
#[derive(Debug)]
pub struct Happened {
    /// The event.
    pub event: Event,
    /// Why, where it turns the attempt round.
    pub why: Option<String>,
    /// What people should know besides.
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
    /// The machine's.
    pub fn open() -> Self {
        Self { folder: PathBuf::from(STATE), volatile: PathBuf::from(VOLATILE) }
    }

    /// Closes to others what an older agent left open to them, if there is any.
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

    /// Where the units at `stage` are kept.
    pub fn snapshot_path(&self) -> PathBuf {
        self.path("units.json")
    }

    fn lock(&self) -> Result<Lock> {
        files::private_folder(&self.folder)?;
        files::private_folder(&self.path("attempts"))?;
        Lock::take(&self.path("lock"))
    }

    /// Takes the machine for staging; `None` while another `serve` has it.
    pub fn lock_for_staging(&self) -> Result<Option<Lock>> {
        files::private_folder(&self.volatile)?;
        Lock::try_take(&self.volatile.join("stage.lock"))
    }

    /// The open attempt, or the last one.
    pub fn record(&self) -> Result<Option<Record>> {
        files::read_json(&self.path("attempt.json"))
    }

    /// One attempt by its id.
    pub fn find(&self, attempt: &AttemptId) -> Result<Option<Record>> {
        match self.record()? {
            Some(record) if record.attempt == *attempt => Ok(Some(record)),
            _ => files::read_json(&self.archived(attempt)),
        }
    }

    fn archived(&self, attempt: &AttemptId) -> PathBuf {
        self.path(&format!("attempts/{attempt}.json"))
    }

    /// Writes a new attempt over the last one, which is kept beside.
    pub fn begin(&self, record: &Record, units: &Snapshot) -> Result<()> {
        let locked = self.lock()?;
        files::reserve(&self.folder)?;
        if let Some(last) = self.record()? {
            self.archive(&last)?;
        }
        files::write_json(&self.snapshot_path(), units)?;
        files::write_json_under(&locked, &self.path("attempt.json"), record)
    }

    /// Offers an event that came of the state that `seen` shows: compare and
    /// swap. The record after it, if the state machine moved; `None` if the event
    /// means nothing there, or if somebody else moved the attempt meanwhile. A
    /// deadline of one phase must not end the next one:
    /// `of_two_that_race_at_the_deadline_exactly_one_is_taken`.
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

    /// Changes what a record remembers without moving the attempt.
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

    /// Keeps an ended attempt, and the last [`KEPT`] ones in all. What was told of the others
    /// goes with them, which would fill /run on a machine that is never restarted:
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
                // There is none after a boot, and none outlives the next one.
                let _ = fs::remove_dir_all(self.volatile.join(attempt));
            }
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// The last commit.
    pub fn confirmed(&self) -> Result<Option<Confirmed>> {
        files::read_json(&self.path("confirmed.json"))
    }

    /// Writes the last commit.
    pub fn confirm(&self, confirmed: &Confirmed) -> Result<()> {
        files::write_json(&self.path("confirmed.json"), confirmed)
    }
}

/// What leads on to the commit, and comes after the phase's deadline, is that the deadline has
/// passed: whatever took so long, and whoever was told meanwhile that it goes back. Proved by
/// `what_comes_after_the_deadline_keeps_nothing`.
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

/// Whether a record is of the same attempt in the same state of the same boot.
fn is_in_the_state_of(record: &Record, seen: &Record) -> bool {
    record.attempt == seen.attempt
        && record.boot == seen.boot
        && AttemptState::of(record) == AttemptState::of(seen)
}

/// What is to be seen on the machine now that an attempt is over. What came in
/// between of one that was committed after all is worth a note.
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
