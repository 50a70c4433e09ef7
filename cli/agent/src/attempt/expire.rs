//! The program of the timer. It steps in when the watching service does not act.

use anyhow::Result;
use deploy_wire::attempt::AttemptId;

use crate::{
    attempt::{
        agent::Agent,
        arm, recover,
        transition::{Action, AttemptState},
    },
    clock,
    tools::pid1,
};

/// Takes over an attempt after its deadline. Before the deadline, it makes sure that both watchers
/// exist.
pub fn expire(agent: &Agent, attempt: &AttemptId) -> Result<()> {
    let Some(record) = agent.ledger.find(attempt)? else { return Ok(()) };
    if !record.is_open() {
        return recover::tidy(&record);
    }
    if record.boot != agent.boot || AttemptState::of(&record).action() == Action::Rest {
        return recover::recover(agent).map(drop);
    }
    let service = arm::service(attempt);
    let late = record.deadline.is_none_or(|deadline| clock::left(deadline).is_zero());
    if late && pid1::is_unit_alive(&service)? {
        // The service runs but does not act: it was stopped, or hangs in a call. After the kill
        // systemd starts it again:
        // `a-watching-service-that-stands-still-or-is-gone-is-replaced-at-the-deadline` proves it.
        return agent.systemd.kill(&service);
    }
    if !late {
        arm::arm(agent, &record)?;
    }
    arm::start_service(agent, attempt)
}
