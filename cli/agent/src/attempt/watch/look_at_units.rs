//! Looking at the units repeatedly.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use deploy_wire::{
    event::Event as Told,
    machine::{Policy, Units as Rules},
};

use super::verdict::LookResult;
use crate::{
    attempt::{ledger::Happened, transition::Event},
    clock,
    machine::units::{
        definition::Definitions,
        role::Role,
        runs::UnitRuns,
        snapshot::Snapshot,
        verdict::{Context, Finding, UnitFailure},
        watched::Watched,
    },
    storage::events::Events,
    tools::pid1,
};

/// How long jobs of the switch may delay the watch.
const SETTLE: Duration = Duration::from_secs(30);

/// The observations of units since the switch.
pub struct Looked {
    before: Snapshot,
    watched: Watched,
    definitions: Definitions,
    runs: UnitRuns,
    advisory: Vec<Finding>,
    told: BTreeSet<(String, UnitFailure)>,
}

impl Looked {
    /// The state before the first look.
    pub fn since(before: Snapshot, definitions: Definitions) -> Self {
        let watched = Watched::since(&before);
        let (runs, advisory, told) = (UnitRuns::default(), Vec::new(), BTreeSet::new());
        Self { before, watched, definitions, runs, advisory, told }
    }

    /// Looks once; `elapsed` is the time since the switch ended.
    pub fn look(
        &mut self,
        rules: &Rules,
        elapsed: Duration,
        events: &Events,
    ) -> Result<LookResult> {
        if rules.policy == Policy::Ignore {
            return Ok(LookResult::Well);
        }
        let young = self.young_jobs()?;
        if let Some(unit) = young.first()
            && elapsed < SETTLE
        {
            return Ok(LookResult::NotYet(format!("{unit} is still starting")));
        }
        // Take the time first. A unit that changes in between then appears younger, not older.
        let now = clock::monotonic();
        let units = self.watched.look()?;
        self.runs.see(&self.before.units, units, now);
        let differs = |unit: &str| self.definitions.differ(unit);
        let (before, runs) = (&self.before, &self.runs);
        let context = Context { before, rules, differs: &differs, runs };
        let found = context.findings(units);
        for each in &found {
            if self.told.insert((each.unit.clone(), each.state)) {
                events.tell(&told(each));
            }
        }
        let (deciding, advisory): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| found.role == Role::Deciding);
        self.advisory = advisory;
        if let Some(first) = deciding.first() {
            let why = format!("{}: {}{}", first.unit, first.detail, and_more(deciding.len()));
            return Ok(match first.state {
                UnitFailure::Broken => LookResult::GiveUp(Happened::because(Event::Broken, why)),
                UnitFailure::Restarting => LookResult::NotYet(why),
            });
        }
        let waits = |unit| LookResult::NotYet(format!("{unit} has not run for {} s", rules.watch));
        Ok(context.young(units, now).map_or(LookResult::Well, waits))
    }

    /// Advisory units that were not healthy at the last look, as notes.
    pub fn advisory(&self) -> Vec<String> {
        let words =
            |found: &Finding| format!("{}: {} (it does not decide)", found.unit, found.detail);
        self.advisory.iter().map(words).collect()
    }

    /// Units with a job that did not exist at `stage`.
    fn young_jobs(&self) -> Result<Vec<String>> {
        let jobs = pid1::jobs()?.into_iter();
        let young = jobs.filter(|job| !self.before.jobs.contains(&job.id));
        Ok(young.map(|job| job.unit).filter(|unit| !unit.starts_with("deploy-")).collect())
    }
}

fn told(found: &Finding) -> Told {
    let (unit, detail) = (found.unit.clone(), found.detail.clone());
    match (found.role, found.state) {
        (Role::Deciding, UnitFailure::Broken) => Told::BrokenUnit { unit, detail },
        (Role::Deciding, UnitFailure::Restarting) => {
            Told::Note { text: format!("{unit}: {detail}; it has until the end of the checks") }
        }
        _ => Told::Note { text: format!("{unit}: {detail}; it does not decide") },
    }
}

fn and_more(count: usize) -> String {
    if count < 2 { String::new() } else { format!(" (and {} more)", count - 1) }
}
