//! Starting a staged attempt.

use anyhow::Result;
use deploy_wire::attempt::AttemptId;

use super::{Replies, find, follow, refuse_in_this_phase};
use crate::attempt::{
    agent::Agent,
    arm,
    ledger::Happened,
    recover,
    transition::{Action, AttemptState, Event},
};

/// Starts a staged attempt and follows it to its end.
pub fn start(agent: &Agent, attempt: &AttemptId, replies: &Replies) -> Result<()> {
    let Some(record) = find(agent, attempt, replies)? else { return Ok(()) };
    let offer = |seen, happened| agent.ledger.offer(seen, &agent.boot, happened, |_| {});
    let Some(started) = offer(&record, Event::Start.into())? else {
        return replies.send(&refuse_in_this_phase(&record, "started"));
    };
    if let Err(error) = arm::start_service(agent, attempt) {
        offer(&started, Happened::because(Event::NotArmed, format!("{error:#}")))?;
    }
    follow::follow(agent, &started, 0, replies)
}

/// Cancels an attempt that is still staged, because its operator is gone.
pub fn give_up_staged(attempt: &AttemptId) -> Result<()> {
    let agent = Agent::open()?;
    let staged = agent
        .ledger
        .find(attempt)?
        .filter(|record| record.is_open() && AttemptState::of(record).action() == Action::Rest);
    let Some(record) = staged else { return Ok(()) };
    let happened =
        Happened::because(Event::Cancelled, "the operator went away before it was started");
    match agent.ledger.offer(&record, &agent.boot, happened, |_| {})? {
        Some(ended) => recover::tidy(&ended),
        None => Ok(()),
    }
}
