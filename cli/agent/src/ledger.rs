//! The records on disk, and the one door through which an attempt moves.
//!
//! The watching service, the timer, `serve` and a person at the console race at
//! a deadline. Each of them offers an event; under the lock the record is read
//! anew, the state machine decides, and the result is durable before anybody
//! acts on it.

use std::{
    fs::{self, File},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use deploy_wire::{
    attempt::AttemptId,
    baseline::Confirmed,
    event::Event as Told,
    outcome::{End, Outcome},
    phase::Phase,
    record::{Boot, Record, Rules},
};
use rustix::fs::{FlockOperation, flock};

use crate::{
    clock,
    events::Events,
    files, look,
    paths::{STATE, VOLATILE},
    transition::{Event, Place, State},
    units::snapshot::Snapshot,
};

/// How long an attempt may stay staged before the operator starts it.
const STAGED: Duration = Duration::from_secs(120);
/// How long starting the watchers may take.
const ARMING: Duration = Duration::from_secs(60);
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

/// Held while the record changes.
pub struct Locked {
    _file: File,
}

impl Ledger {
    /// The machine's.
    pub fn open() -> Self {
        Self { folder: PathBuf::from(STATE), volatile: PathBuf::from(VOLATILE) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the units at `stage` are kept.
    pub fn snapshot_path(&self) -> PathBuf {
        self.path("units.json")
    }

    fn lock(&self) -> Result<Locked> {
        let attempts = self.path("attempts");
        fs::create_dir_all(&attempts)
            .with_context(|| format!("{} cannot be made", attempts.display()))?;
        let file = files::open_lock(&self.path("lock"))?;
        flock(&file, FlockOperation::LockExclusive).context("the lock cannot be taken")?;
        Ok(Locked { _file: file })
    }

    /// Takes the machine for staging; `None` while another `serve` has it.
    pub fn lock_for_staging(&self) -> Result<Option<Locked>> {
        fs::create_dir_all(&self.volatile)
            .with_context(|| format!("{} cannot be made", self.volatile.display()))?;
        let file = files::open_lock(&self.volatile.join("stage.lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Locked { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error).context("the lock cannot be taken"),
        }
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
        let _locked = self.lock()?;
        files::reserve(&self.folder)?;
        if let Some(last) = self.record()? {
            self.archive(&last)?;
        }
        files::write_json(&self.snapshot_path(), units)?;
        files::write_json(&self.path("attempt.json"), record)
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
        let _locked = self.lock()?;
        let Some(mut record) = self.record()?.filter(|record| is_as(record, seen)) else {
            return Ok(None);
        };
        let Some(state) = State::of(&record).after(happened.event) else { return Ok(None) };
        let phase = state.place.phase();
        let same_phase = phase == record.phase && record.boot == *boot;
        change(&mut record);
        record.phase = phase;
        record.rebooted |= state.place == Place::Rebooting;
        record.boot = boot.clone();
        if !same_phase {
            record.deadline = limit(&record.rules, phase).map(clock::deadline_in);
        }
        if happened.why.is_some() {
            record.why = happened.why;
        }
        if let Some(end) = state.place.end() {
            record.outcome = Some(outcome(end, record.why.clone(), happened.notes));
        }
        files::write_json(&self.path("attempt.json"), &record)?;
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
        let _locked = self.lock()?;
        let mut record = self
            .record()?
            .filter(|record| record.attempt == *attempt && record.is_open())
            .ok_or_else(|| anyhow!("attempt {attempt} is not open"))?;
        change(&mut record);
        files::write_json(&self.path("attempt.json"), &record)?;
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

/// Whether a record is of the same attempt in the same state of the same boot.
fn is_as(record: &Record, seen: &Record) -> bool {
    record.attempt == seen.attempt
        && record.boot == seen.boot
        && State::of(record) == State::of(seen)
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

/// How long a phase may take.
pub fn limit(rules: &Rules, phase: Phase) -> Option<Duration> {
    match phase {
        Phase::Staged => Some(STAGED),
        Phase::Arming => Some(ARMING),
        Phase::Activating => Some(rules.timeouts.activation()),
        Phase::Checking => Some(rules.timeouts.check()),
        Phase::Waiting => Some(rules.confirm.timeout()),
        // Profile and loader take as long as a switch on a slow disk.
        Phase::Committing => Some(rules.timeouts.activation()),
        Phase::RollingBack | Phase::Rebooting => Some(rules.timeouts.rollback()),
        Phase::Ended => None,
    }
}

/// The deadline of an attempt that is being staged.
pub fn staged_deadline() -> deploy_wire::record::Deadline {
    clock::deadline_in(STAGED)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
