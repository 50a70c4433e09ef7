//! Recovery of attempts that no process watches: after a power cut, a soft-reboot, or the death of
//! the agent. The next process that runs finishes them.

use std::{path::Path, thread, time::Duration};

use anyhow::Result;
use deploy_wire::record::Record;

use crate::{
    attempt::{
        agent::{Agent, program},
        arm,
        ledger::Happened,
        running::{self, Started},
        switch,
        transition::{Action, AttemptState, Event},
    },
    clock,
    machine::roots,
    storage::{changes::Changes, paths::STATE},
    tools::pid1,
};

/// Finishes the open attempt and waits for its end. The returned record is open only if another
/// process works on it, or if the time was not enough.
pub fn recover(agent: &Agent) -> Result<Option<Record>> {
    let Some(record) = agent.ledger.record()? else { return Ok(None) };
    if !record.is_open() {
        tidy_if_needed(&record)?;
        return Ok(Some(record));
    }
    if record.boot != agent.boot {
        // A soft-reboot may kill a switch before it has synced its files, and there may be no
        // further switch: `table-soft-reboot-in-activate-on-real-nixos` proves it, in the case that
        // `deploy` asks before the watching service is back.
        switch::sync_written().iter().for_each(|problem| eprintln!("{problem}"));
        let runs = running::runs_for(&record, Started::Anew);
        let happened = Happened::because(Event::Restarted(runs), why_restarted(&record));
        offer(agent, &record, happened)?;
    } else if is_late(&record) && AttemptState::of(&record).action() == Action::Rest {
        let why = "it was never started";
        offer(agent, &record, Happened::because(Event::DeadlinePassed, why))?;
    }
    finish(agent)
}

fn offer(agent: &Agent, record: &Record, happened: Happened) -> Result<()> {
    agent.ledger.offer(record, &agent.boot, happened, |_| {}).map(drop)
}

fn is_late(record: &Record) -> bool {
    record.deadline.is_none_or(|deadline| clock::left(deadline).is_zero())
}

fn why_restarted(record: &Record) -> String {
    let when = match AttemptState::of(record).action() {
        Action::Rest | Action::Arm => "before the switch",
        Action::Commit => "during the commit",
        Action::RollBack => return record.why.clone().unwrap_or("it went back".into()),
        Action::Reboot => {
            let why = record.why.as_deref().unwrap_or("it went back");
            return format!("{why}; it was rebooted into what it booted before");
        }
        _ => "before the confirmation",
    };
    format!("the machine was restarted {when}")
}

/// Makes sure that an open attempt has its watching service. If the service was missing, waits for
/// the end of the attempt.
fn finish(agent: &Agent) -> Result<Option<Record>> {
    let Some(record) = agent.ledger.record()? else { return Ok(None) };
    if !record.is_open() {
        tidy(&record)?;
        return Ok(Some(record));
    }
    let is_staged = AttemptState::of(&record).action() == Action::Rest;
    if is_staged || pid1::is_unit_alive(&arm::service(&record.attempt))? {
        return Ok(Some(record));
    }
    arm::start_service(agent, &record.attempt)?;
    wait_for_end(agent, &record)
}

/// Waits for the end of an attempt, at most as long as its phases may take.
pub fn wait_for_end(agent: &Agent, record: &Record) -> Result<Option<Record>> {
    let limits = &record.rules.timeouts;
    let longest = 2 * limits.activation() + limits.check() + 4 * limits.rollback();
    let end = clock::boottime() + longest + record.rules.confirm.timeout();
    let changes = Changes::of(&[Path::new(STATE)]);
    loop {
        let now = agent.ledger.find(&record.attempt)?;
        let open = now.as_ref().is_some_and(Record::is_open);
        let left = end.saturating_sub(clock::boottime());
        if !open || left.is_zero() {
            return Ok(now);
        }
        changes.wait(left);
    }
}

/// Waits a few seconds until an ended attempt is tidied up. Whoever is told of the end then finds
/// the machine at rest.
pub fn wait_for_rest(record: &Record) {
    let end = clock::boottime() + Duration::from_secs(5);
    while roots::are_left(&record.attempt) && clock::boottime() < end {
        thread::sleep(clock::TICK);
    }
}

/// Removes the timers and, last, the garbage collector roots of an ended attempt. The agent keeps
/// its root, for the console.
pub fn tidy(record: &Record) -> Result<()> {
    arm::disarm(&record.attempt)?;
    let own = program()?;
    let own = deploy_wire::store_path::StorePath::containing(&own.to_string_lossy());
    roots::keep_agent(own.as_ref().unwrap_or(&record.agent))?;
    roots::drop_all(&record.attempt)
}

fn tidy_if_needed(record: &Record) -> Result<()> {
    if roots::are_left(&record.attempt) { tidy(record) } else { Ok(()) }
}
