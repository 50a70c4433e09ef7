//! Confirming and giving up.

use std::time::Duration;

use anyhow::Result;
use deploy_wire::{
    attempt::{AttemptId, Login},
    message::{RefusalKind, Reply},
    record::{Deadline, Record},
};

use super::{Replies, find, follow, not_now};
use crate::{
    agent::Agent,
    clock,
    ledger::Happened,
    stage::refuse,
    transition::{Action, Event, State},
};

/// How long the last look at the checks may take.
const FINAL_ROUND: Duration = Duration::from_secs(60);

/// Confirms from a login that is not the one that staged.
pub fn confirm(
    agent: &Agent,
    attempt: &AttemptId,
    login: Option<&Login>,
    replies: &Replies,
) -> Result<()> {
    let Some(record) = find(agent, attempt, replies)? else { return Ok(()) };
    if record.is_open() && !is_new(record.login.as_ref(), login) {
        let why = match login {
            Some(login) => format!("the confirmation comes over the login {login} that deployed"),
            None => "the confirmation does not come over an SSH login".into(),
        };
        return replies.send(&Reply::Refused(refuse(RefusalKind::SameLogin, why)));
    }
    confirm_as(agent, &record, login, replies)
}

/// Confirms, over whatever way.
pub fn confirm_as(
    agent: &Agent,
    record: &Record,
    login: Option<&Login>,
    replies: &Replies,
) -> Result<()> {
    if record.is_open() && !is_confirmed(record) {
        let late = record.deadline.is_some_and(|deadline| clock::left(deadline).is_zero());
        let told = login.cloned().unwrap_or_else(console);
        let moved = if late {
            None
        } else {
            agent.ledger.offer(&record.attempt, &agent.boot, Event::Confirmed.into(), |record| {
                record.deadline = record.deadline.map(at_least_the_final_round);
                record.confirmed_by = Some(told);
            })?
        };
        let waits = State::of(record).action() == Action::AwaitConfirmation;
        if moved.is_none() && !waits {
            return replies.send(&not_now(record, "confirmed"));
        }
    }
    follow::wait(agent, record, replies)
}

fn is_confirmed(record: &Record) -> bool {
    record.confirmed_by.is_some()
}

fn at_least_the_final_round(deadline: Deadline) -> Deadline {
    let least = clock::deadline_in(FINAL_ROUND);
    if deadline.boottime_ms < least.boottime_ms { least } else { deadline }
}

/// Who stands before the machine has no connection.
fn console() -> Login {
    Login { client: "console".into(), client_port: 0, server: "console".into(), server_port: 0 }
}

/// Another port or another address: another connection than the one that
/// staged. A connection that was kept open proves nothing.
fn is_new(staged: Option<&Login>, confirms: Option<&Login>) -> bool {
    match (staged, confirms) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(staged), Some(confirms)) => {
            staged.client != confirms.client || staged.client_port != confirms.client_port
        }
    }
}

/// Gives an attempt up and waits for its end.
pub fn cancel(agent: &Agent, attempt: &AttemptId, why: &str, replies: &Replies) -> Result<()> {
    let Some(record) = find(agent, attempt, replies)? else { return Ok(()) };
    if record.is_open() {
        let happened = Happened::because(Event::Cancelled, why);
        let moved = agent.ledger.offer(attempt, &agent.boot, happened, |_| {})?;
        if let Some(ended) = moved.filter(|record| !record.is_open()) {
            crate::recover::tidy(agent, &ended)?;
        }
    }
    follow::wait(agent, &record, replies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_connection_is_a_new_login() {
        let login = |client: &str, client_port| Login {
            client: client.into(),
            client_port,
            server: "10.0.0.2".into(),
            server_port: 22,
        };
        let staged = login("10.0.0.1", 5000);
        assert!(!is_new(Some(&staged), Some(&staged)));
        assert!(!is_new(Some(&staged), None));
        assert!(!is_new(None, None));
        assert!(is_new(Some(&staged), Some(&login("10.0.0.1", 5001))));
        assert!(is_new(Some(&staged), Some(&login("10.0.0.9", 5000))));
    }
}
