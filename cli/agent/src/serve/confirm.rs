//! Confirming and cancelling an attempt.

use anyhow::Result;
use deploy_wire::{
    attempt::{AttemptId, Login},
    message::{RefusalKind, Reply},
};

use super::{Replies, find, follow, refuse_in_this_phase};
use crate::attempt::{
    agent::Agent,
    confirmation::{self, Taken},
    ledger::Happened,
    recover,
    stage::refuse,
    transition::{AttemptState, Event},
};

/// Confirms an attempt over a login other than the one that staged it.
pub fn confirm(
    agent: &Agent,
    attempt: &AttemptId,
    login: Option<&Login>,
    replies: &Replies,
) -> Result<()> {
    let Some(record) = find(agent, attempt, replies)? else { return Ok(()) };
    if record.is_open() {
        let same = |why: &str| Reply::Refused(refuse(RefusalKind::SameLogin, why));
        let Some(login) = login else {
            return replies.send(&same("a confirmation must come over an SSH login"));
        };
        if !confirmation::is_new(record.login.as_ref(), login) {
            let why = format!(
                "the confirmation came over the login that deployed ({login}); it needs a new login"
            );
            return replies.send(&same(&why));
        }
        if confirmation::confirm(agent, &record, login.clone())? == Taken::TooEarly {
            return replies.send(&refuse_in_this_phase(&record, "confirmed"));
        }
    }
    follow::wait(agent, &record, replies)
}

/// Cancels an attempt and waits for its end.
pub fn cancel(agent: &Agent, attempt: &AttemptId, why: &str, replies: &Replies) -> Result<()> {
    let Some(mut record) = find(agent, attempt, replies)? else { return Ok(()) };
    while record.is_open() {
        let happened = Happened::because(Event::Cancelled, why);
        if let Some(moved) = agent.ledger.offer(&record, &agent.boot, happened, |_| {})? {
            if !moved.is_open() {
                recover::tidy(&moved)?;
            }
            break;
        }
        // The attempt has just moved on, or can no longer be cancelled.
        let Some(now) = agent.ledger.find(attempt)? else { break };
        if AttemptState::of(&now) == AttemptState::of(&record) {
            break;
        }
        record = now;
    }
    follow::wait(agent, &record, replies)
}
