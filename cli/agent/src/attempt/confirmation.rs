//! Accepting a confirmation, from a new login or from the console.

use std::time::Duration;

use anyhow::Result;
use deploy_wire::{
    attempt::Login,
    record::{Deadline, Record},
};

use crate::{
    attempt::{
        agent::Agent,
        ledger::Happened,
        transition::{Action, AttemptState, Event},
    },
    clock,
};

/// How long the final round of checks may take.
const FINAL_ROUND: Duration = Duration::from_secs(60);

/// The result of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The confirmation counts, an earlier one counts, or the attempt is about to end. The caller
    /// waits for the end.
    Wait,
    /// The attempt has not reached the wait for the confirmation.
    TooEarly,
}

/// Offers a confirmation to the state machine. A confirmation after the deadline does not count,
/// even if no process has acted on the deadline yet.
pub fn confirm(agent: &Agent, record: &Record, login: Login) -> Result<Taken> {
    let late = record.deadline.is_some_and(|deadline| clock::left(deadline).is_zero());
    let awaited = AttemptState::of(record).action() == Action::AwaitConfirmation;
    if awaited && !late {
        let confirmed = Happened::from(Event::Confirmed);
        agent.ledger.offer(record, &agent.boot, confirmed, |record| {
            record.deadline = record.deadline.map(at_least_the_final_round);
            record.confirmed_by = Some(login);
        })?;
    }
    Ok(if AttemptState::of(record).action().is_before_the_confirmation() {
        Taken::TooEarly
    } else {
        Taken::Wait
    })
}

fn at_least_the_final_round(deadline: Deadline) -> Deadline {
    let least = clock::deadline_in(FINAL_ROUND);
    if deadline.boottime_ms < least.boottime_ms { least } else { deadline }
}

/// Whether the confirming login is a new connection: its address or port differs from the staging
/// login's. A connection that stayed open proves nothing:
/// `a-confirmation-over-the-login-that-deployed-or-over-none-does-not-count`.
pub fn is_new(staged: Option<&Login>, confirms: &Login) -> bool {
    staged.is_none_or(|staged| {
        staged.client != confirms.client || staged.client_port != confirms.client_port
    })
}

/// The login of a person at the console, who has no connection.
pub fn console() -> Login {
    Login { client: "console".into(), client_port: 0, server: "console".into(), server_port: 0 }
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
        assert!(!is_new(Some(&staged), &staged));
        assert!(is_new(Some(&staged), &login("10.0.0.1", 5001)));
        assert!(is_new(Some(&staged), &login("10.0.0.9", 5000)));
    }
}
