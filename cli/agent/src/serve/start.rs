//! Starting a staged attempt.

use anyhow::Result;
use deploy_wire::attempt::AttemptId;

use super::{Replies, find, follow, not_now};
use crate::{agent::Agent, arm, ledger::Happened, transition::Event};

/// Starts it and follows it to its end.
pub fn start(agent: &Agent, attempt: &AttemptId, replies: &Replies) -> Result<()> {
    let Some(record) = find(agent, attempt, replies)? else { return Ok(()) };
    let offer = |seen, happened| agent.ledger.offer(seen, &agent.boot, happened, |_| {});
    let Some(started) = offer(&record, Event::Start.into())? else {
        return replies.send(&not_now(&record, "started"));
    };
    if let Err(error) = arm::start_service(agent, attempt) {
        offer(&started, Happened::because(Event::NotArmed, format!("{error:#}")))?;
    }
    follow::follow(agent, &started, 0, replies)
}
