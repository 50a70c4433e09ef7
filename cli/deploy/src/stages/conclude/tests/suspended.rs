//! The operator's computer was asleep, as with a closed lid, and wakes up.

use super::*;
use crate::{stages::confirm::lost, tools::agent::AgentError};

/// The connection is still there: all that happened meanwhile comes at once.
#[test]
fn with_its_connection() {
    let mut events = waiting();
    events.push(goes_back(NOBODY));
    let outcome = outcome(End::RolledBack, Some(NOBODY), before(), Some(41));
    snapshots("awake-rolled-back", &ended(events, told(known(outcome))));
}

/// It is gone: what was not told yet is asked for.
#[test]
fn without_its_connection() {
    let mut events = activating();
    events.push(note(&lost(&AgentError::Ended)));
    events.extend(login());
    let rest = waiting().into_iter().skip(activating().len());
    events.extend(rest);
    events.push(goes_back(NOBODY));
    let outcome = outcome(End::RolledBack, Some(NOBODY), before(), Some(41));
    snapshots("awake-asks-rolled-back", &ended(events, told(known(outcome))));
}

/// It was confirmed before the lid was closed.
#[test]
fn after_the_confirmation() {
    let mut events = committing();
    events.push(note(&lost(&AgentError::Ended)));
    events.extend(login());
    let outcome = outcome(End::Committed, None, wanted(), Some(42));
    snapshots("awake-asks-committed", &ended(events, told(known(outcome))));
}

/// It wakes up where the machine cannot be reached.
#[test]
fn elsewhere() {
    let mut events = waiting();
    events.push(note(&lost(&AgentError::Ended)));
    events.extend(login());
    let why = "ssh: Could not resolve hostname frame1: Name or service not known";
    snapshots("awake-elsewhere", &ended(events, told(Conclusion::NotKnown(why.into()))));
}
