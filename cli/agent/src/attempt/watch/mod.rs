//! The watching service. It asks the state machine for the action, runs it, and offers the
//! resulting event, until the attempt has ended.

mod activate;
mod check;
mod commit;
mod look_at_units;
mod no_way_back;
mod passed;
mod profile;
mod profiles;
mod reboot;
mod roll_back;
mod steps;
mod switch_back;
mod verdict;

use std::{path::Path, thread, time::Duration};

use anyhow::{Result, anyhow};
use deploy_wire::{attempt::AttemptId, record::Record};

use crate::{
    attempt::{
        agent::Agent,
        arm,
        ledger::Happened,
        recover,
        transition::{Action, AttemptState, Event},
    },
    clock,
    storage::{
        changes::Changes,
        events::{self, Events, folder},
        paths::STATE,
    },
    tools::switch_lock,
};

/// Like [`clock::TICK`], but for queries that start a process or take a lock.
pub const PAUSE: Duration = Duration::from_millis(100);

/// The pause before a failed rollback is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long the agent waits for another tool's switch.
const OTHER_TOOL: Duration = Duration::from_secs(120);
/// How long no switch may run until the other tool counts as finished.
const QUIET: Duration = Duration::from_secs(2);

/// The watch over one attempt.
pub struct Watch<'a> {
    agent: &'a Agent,
    attempt: &'a AttemptId,
    events: Events,
    /// Of the record, and of what steps leave.
    changes: Changes,
    checks: Option<crate::checks::Checks>,
    looking: Option<check::Looking>,
}

/// Watches an attempt until it ends.
pub fn run(agent: &Agent, attempt: &AttemptId) -> Result<()> {
    let events = Events::of(attempt);
    let folder = folder(attempt);
    events::make(&folder)?;
    let changes = Changes::of(&[Path::new(STATE), &folder]);
    let mut watch = Watch { agent, attempt, events, changes, checks: None, looking: None };
    loop {
        let record = watch.record()?;
        if !record.is_open() {
            return recover::tidy(&record);
        }
        if let Some(happened) = watch.step(&record) {
            if happened.event == Event::Foreign {
                watch.let_the_other_finish();
            }
            watch.offer(&record, happened);
        }
    }
}

impl Watch<'_> {
    fn record(&self) -> Result<Record> {
        self.agent
            .ledger
            .find(self.attempt)?
            .ok_or_else(|| anyhow!("there is no attempt {}", self.attempt))
    }

    /// Runs the action of the present state. A failure becomes an event.
    fn step(&mut self, record: &Record) -> Option<Happened> {
        let action = AttemptState::of(record).action();
        match self.act(action, record) {
            Ok(happened) => happened,
            Err(error) => {
                eprintln!("{error:#}");
                if action.is_tried_until_its_deadline() && !check::is_deadline_over(record) {
                    thread::sleep(AGAIN);
                    return None;
                }
                let before = record.why.as_ref().map(|why| format!("{why}; ")).unwrap_or_default();
                Some(Happened::because(action.failure()?, format!("{before}{error:#}")))
            }
        }
    }

    /// Runs an action; `None` if another process moved the attempt.
    fn act(&mut self, action: Action, record: &Record) -> Result<Option<Happened>> {
        // Check the deadline before anything that may hang. Otherwise an agent that was killed
        // because it hung would hang again:
        // `a-check-that-never-ends-does-not-keep-a-machine-from-going-back`.
        if check::is_deadline_over(record)
            && let Some(why) = check::why_late(action, record)
        {
            return Ok(Some(Happened::because(Event::DeadlinePassed, why)));
        }
        if action != Action::Rest {
            self.keep_armed(record)?;
        }
        match action {
            Action::Rest => {
                self.changes.wait(record.deadline.map_or(AGAIN, clock::left));
                Ok(None)
            }
            Action::Arm if check::is_deadline_over(record) => {
                Ok(Some(Happened::because(Event::DeadlinePassed, "the watchers came too late")))
            }
            // The timer exists, and this process is the service.
            Action::Arm => Ok(Some(Event::Armed.into())),
            Action::Activate => self.activate(record),
            Action::Check => self.check(record),
            Action::AwaitConfirmation => self.await_confirmation(record),
            Action::FinalRound => self.final_round(record),
            Action::Commit => self.commit(record).map(Some),
            Action::RollBack => self.roll_back(record).map(Some),
            Action::Reboot => self.reboot(record),
        }
    }

    /// Restores a missing timer. Before the switch a failure ends the attempt; later the service
    /// alone must suffice.
    fn keep_armed(&mut self, record: &Record) -> Result<()> {
        let armed = self.with_time_left(record).and_then(|record| arm::arm(self.agent, &record));
        match armed {
            Err(error) if AttemptState::of(record).action() != Action::Arm => {
                self.events.note(format!("no timer stands behind the service: {error:#}"));
                Ok(())
            }
            other => other,
        }
    }

    /// Gives a new deadline to an interrupted commit or rollback.
    fn with_time_left(&self, record: &Record) -> Result<Record> {
        if !AttemptState::of(record).action().begins_anew() || !check::is_deadline_over(record) {
            return Ok(record.clone());
        }
        let limit = record.rules.limit(record.phase);
        self.agent.ledger.remember(self.attempt, |record| {
            record.deadline = limit.map(crate::clock::deadline_in);
        })
    }

    /// Waits for the other tool to finish, because it sets the profile before it switches. Only
    /// then does the agent report what runs and boots. `table-other-tool-switches-in-check` proves
    /// it.
    fn let_the_other_finish(&self) {
        let end = clock::boottime() + OTHER_TOOL;
        let mut quiet = clock::boottime();
        while clock::boottime() < end && clock::boottime().saturating_sub(quiet) < QUIET {
            if switch_lock::runs_now() {
                quiet = clock::boottime();
            }
            thread::sleep(PAUSE);
        }
    }

    /// Offers an event. If the disk refuses the record, the loop tries again; there is no better
    /// choice.
    fn offer(&self, seen: &Record, happened: Happened) {
        let offered = self.agent.ledger.offer(seen, &self.agent.boot, happened, |_| {});
        if let Err(error) = offered {
            eprintln!("{error:#}");
            thread::sleep(clock::TICK);
        }
    }

    /// Whether the attempt is still in the state of `record`.
    fn is_unmoved(&self, record: &Record) -> Result<bool> {
        let now = self.record()?;
        Ok(now.phase == record.phase && AttemptState::of(&now) == AttemptState::of(record))
    }
}
