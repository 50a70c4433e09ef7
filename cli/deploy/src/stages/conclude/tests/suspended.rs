//! The operator's computer sleeps, for example with a closed lid, and wakes up.

use super::*;
use crate::{stages::confirm::lost, tools::agent::AgentError};

/// The machine rolled back, because nobody confirmed meanwhile.
fn goes_back_to_its_end(mut events: Vec<Event>) -> Vec<Event> {
    events.push(goes_back(NOBODY));
    ended(events, told(known(outcome(End::RolledBack, Some(NOBODY), before(), Some(41)))))
}

/// The connection is lost, and a new login asks.
fn asks_anew(mut events: Vec<Event>) -> Vec<Event> {
    events.push(note(&lost(&AgentError::Ended)));
    events.extend(login());
    events
}

/// The connection still exists, and all events of the meantime arrive at once.
#[test]
fn with_its_connection() {
    snapshots("awake-rolled-back", &goes_back_to_its_end(waiting()));
}

/// The connection is lost, and the missing events are requested.
#[test]
fn without_its_connection() {
    let mut events = asks_anew(activating());
    events.extend(waiting().into_iter().skip(activating().len()));
    snapshots("awake-asks-rolled-back", &goes_back_to_its_end(events));
}

/// The attempt was confirmed before the lid was closed.
#[test]
fn after_the_confirmation() {
    let events = asks_anew(committing());
    let outcome = outcome(End::Committed, None, wanted(), Some(42));
    snapshots("awake-asks-committed", &ended(events, told(known(outcome))));
}

/// The computer wakes up where the machine cannot be reached.
#[test]
fn elsewhere() {
    let events = asks_anew(waiting());
    let why = "ssh: Could not resolve hostname frame1: Name or service not known";
    snapshots("awake-elsewhere", &ended(events, told(Conclusion::NotKnown(why.into()))));
}
