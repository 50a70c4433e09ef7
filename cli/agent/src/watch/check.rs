//! Watching units and declared checks: after the switch until they can be
//! judged, then until the confirmation, then once more.

use std::{collections::BTreeSet, thread, time::Duration};

use anyhow::{Context as _, Result};
use deploy_wire::{
    event::Event as Told,
    machine::{Level, Policy},
    record::Record,
};

use super::{Watch, activate::foreign, commit};
use crate::{
    checks::Checks,
    clock,
    ledger::Happened,
    look,
    switch::{self, Step},
    tools::pid1,
    transition::Event,
    units::{definition::Definitions, snapshot::Snapshot, verdict::Context, watched::Watched},
};

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Between the first two: what the switch started is often well a moment later. Each pause is
/// twice the one before.
const FIRST: Duration = Duration::from_millis(100);
/// How long jobs of the switch may keep the watch from beginning.
const SETTLE: Duration = Duration::from_secs(30);

/// What one look at the machine says.
enum Verdict {
    /// All is well.
    Well,
    /// It cannot be told yet, and what is waited for.
    NotYet(String),
    /// The deploy is to be given up.
    Given(Happened),
}

/// What is kept from one look to the next.
pub struct Looking {
    before: Snapshot,
    watched: Watched,
    definitions: Definitions,
    since: Duration,
    told: BTreeSet<String>,
}

impl Watch<'_> {
    /// Watches until units and checks are well.
    pub fn check(&mut self, record: &Record) -> Result<Option<Happened>> {
        let late = format!(" after {} s", record.rules.timeouts.check);
        self.until_well(record, |_| {}, &late)
    }

    /// Goes on watching until the confirmation comes.
    pub fn await_confirmation(&mut self, record: &Record) -> Result<Option<Happened>> {
        self.looking(record, |watch, looking| {
            loop {
                if let Verdict::Given(happened) = watch.look(record, looking)? {
                    return Ok(Some(happened));
                }
                if passed(record) {
                    let limit = record.rules.confirm.timeout;
                    let why = format!("no new SSH login confirmed within {limit} s");
                    return Ok(Some(Happened::because(Event::DeadlinePassed, why)));
                }
                if !watch.rest(record, PERIOD)? {
                    return Ok(None);
                }
            }
        })
    }

    /// Asks every check once more: what was well an hour ago does not count.
    pub fn final_round(&mut self, record: &Record) -> Result<Option<Happened>> {
        let ask = |watch: &Self| watch.checks.iter().for_each(Checks::ask_all);
        self.until_well(record, ask, ", at the last look before the commit")
    }

    /// Looks, each time after `first`, until all is well; `late` is said behind what was waited
    /// for in vain.
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
                    Verdict::Given(happened) => return Ok(Some(happened)),
                    Verdict::Well => return Ok(Some(watch.passed(record))),
                    Verdict::NotYet(what) => what,
                };
                if passed(record) {
                    let why = format!("{waits_for}{late}");
                    return Ok(Some(Happened::because(Event::DeadlinePassed, why)));
                }
                if !watch.rest(record, pause)? {
                    return Ok(None);
                }
                pause = PERIOD.min(pause * 2);
            }
        })
    }

    /// All is well; the notes are told if this is the end, as of a `test`.
    fn passed(&self, record: &Record) -> Happened {
        self.keep_passed(record);
        let mut notes = self.late_notes();
        notes.extend(commit::note_of_confirmation(record));
        Happened { event: Event::Passed, why: None, notes }
    }

    /// Late checks that fail, in words.
    pub fn late_notes(&self) -> Vec<String> {
        let failing = self.checks.as_ref().map(|checks| checks.failing(Level::Late));
        let failing = failing.unwrap_or_default().into_iter();
        failing
            .map(|(check, said)| {
                let said = said.unwrap_or_else(|| "it has not answered".into());
                format!("late check {} fails: {said}", check.name)
            })
            .collect()
    }

    /// Goes on looking where the phase before left off: only the first look is a full one.
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
        let since = switch::ended(self.attempt, Step::Activate)
            .map_or_else(clock::boottime, |ending| Duration::from_millis(ending.boottime_ms));
        let definitions = Definitions::of(&record.ran, &record.wanted);
        let (watched, told) = (Watched::since(&before), BTreeSet::new());
        Ok(Looking { before, watched, definitions, since, told })
    }

    fn look(&self, record: &Record, looking: &mut Looking) -> Result<Verdict> {
        if !look::runs(&record.wanted) {
            return Ok(Verdict::Given(foreign("another tool switched the machine")));
        }
        if look::profile_is_foreign(record) {
            return Ok(Verdict::Given(foreign("another tool set the system profile")));
        }
        match self.look_at_units(record, looking) {
            Ok(Verdict::Well) => Ok(self.look_at_checks(looking.since)),
            Ok(other) => Ok(other),
            // A systemd that re-executes itself does not answer for a moment.
            Err(error) => Ok(Verdict::NotYet(format!("{error:#}"))),
        }
    }

    fn look_at_units(&self, record: &Record, looking: &mut Looking) -> Result<Verdict> {
        let rules = &record.rules.units;
        if rules.policy == Policy::Ignore {
            return Ok(Verdict::Well);
        }
        let elapsed = clock::boottime().saturating_sub(looking.since);
        let young = self.young_jobs(&looking.before)?;
        if let Some(unit) = young.first()
            && elapsed < SETTLE
        {
            return Ok(Verdict::NotYet(format!("{unit} is still starting")));
        }
        let differs = |unit: &str| looking.definitions.differ(unit);
        let context =
            Context { before: &looking.before.units, ignore: &rules.ignore, differs: &differs };
        // The time first: a unit that changes in between has lived less, not more.
        let now = clock::monotonic();
        let units = looking.watched.look()?;
        let broken = context.broken(units);
        for unit in &broken {
            if looking.told.insert(format!("{}{}", unit.unit, unit.detail)) {
                let (unit, detail) = (unit.unit.clone(), unit.detail.clone());
                self.events.tell(&Told::BrokenUnit { unit, detail });
            }
        }
        if let (Some(first), Policy::Gate) = (broken.first(), rules.policy) {
            let more = match broken.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            let why = format!("{}: {}{more}", first.unit, first.detail);
            return Ok(Verdict::Given(Happened::because(Event::Broken, why)));
        }
        let young = context.young(units, now, rules.watch());
        let waits = |unit| Verdict::NotYet(format!("{unit} has not run for {} s", rules.watch));
        Ok(young.map_or(Verdict::Well, waits))
    }

    /// Units that have a job which was not there at `stage`.
    fn young_jobs(&self, before: &Snapshot) -> Result<Vec<String>> {
        let jobs = pid1::jobs()?.into_iter();
        let young = jobs.filter(|job| !before.jobs.contains(&job.id));
        Ok(young.map(|job| job.unit).filter(|unit| !unit.starts_with("deploy-")).collect())
    }

    fn look_at_checks(&self, since: Duration) -> Verdict {
        let failing = self.checks.as_ref().map(|checks| checks.failing(Level::Gate));
        let elapsed = clock::boottime().saturating_sub(since);
        let mut verdict = Verdict::Well;
        for (check, said) in failing.unwrap_or_default() {
            let Some(said) = said else {
                verdict = Verdict::NotYet(format!("check {} has not answered", check.name));
                continue;
            };
            let what = format!("check {} fails: {said}", check.name);
            if elapsed >= check.grace() {
                return Verdict::Given(Happened::because(Event::Broken, what));
            }
            verdict = Verdict::NotYet(what);
        }
        verdict
    }

    /// Waits for the next look; `false` when the attempt was moved meanwhile.
    fn rest(&self, record: &Record, pause: Duration) -> Result<bool> {
        let end = clock::boottime() + pause;
        while clock::boottime() < end {
            if !self.unmoved(record)? {
                return Ok(false);
            }
            if passed(record) {
                return Ok(true);
            }
            thread::sleep(clock::TICK);
        }
        Ok(true)
    }
}

/// Whether the phase's deadline has passed.
pub fn passed(record: &Record) -> bool {
    record.deadline.is_some_and(|deadline| clock::left(deadline).is_zero())
}
