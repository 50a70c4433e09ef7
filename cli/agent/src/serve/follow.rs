//! Sending the events of an attempt, from any number on to its end.

use std::{path::Path, time::Duration};

use anyhow::{Result, bail};
use deploy_wire::{event::Event, message::Reply, record::Record};

use super::Replies;
use crate::{
    attempt::{agent::Agent, recover},
    clock,
    storage::{
        changes::Changes,
        events::{Events, folder},
        paths::STATE,
    },
};

/// The longest wait for a change before the record is read again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends the events, then the outcome.
pub fn follow(agent: &Agent, record: &Record, from: u64, replies: &Replies) -> Result<()> {
    let attempt = &record.attempt;
    let changes = Changes::of(&[Path::new(STATE), &folder(attempt)]);
    let mut events = Events::of(attempt).reader();
    loop {
        // Read the record first. All events before the end have then been written.
        let now = agent.ledger.find(attempt)?;
        while let Some((number, event)) = events.next() {
            if number >= from {
                let event = as_of_now(event, now.as_ref());
                replies.send(&Reply::Event { number, event })?;
            }
        }
        if let Some(outcome) = now.and_then(|record| record.outcome) {
            recover::wait_for_rest(record);
            let attempt = attempt.clone();
            return replies.send(&Reply::Ended { attempt, outcome });
        }
        changes.wait(PATIENCE);
    }
}

/// Adjusts an event for a late follower: the phase in progress shows the seconds that are left now.
fn as_of_now(event: Event, record: Option<&Record>) -> Event {
    let deadline = record.and_then(|record| Some((record.phase, record.deadline?)));
    match (event, deadline) {
        (Event::Phase { phase, seconds_left: Some(_), why }, Some((now, deadline)))
            if phase == now =>
        {
            Event::Phase { phase, seconds_left: Some(clock::seconds_left(deadline)), why }
        }
        (event, _) => event,
    }
}

/// Waits for the end without sending events.
pub fn wait(agent: &Agent, record: &Record, replies: &Replies) -> Result<()> {
    let ended = recover::wait_for_end(agent, record)?.and_then(|record| record.outcome);
    let Some(outcome) = ended else {
        bail!("attempt {} did not end in time", record.attempt);
    };
    recover::wait_for_rest(record);
    replies.send(&Reply::Ended { attempt: record.attempt.clone(), outcome })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use deploy_wire::phase::Phase;

    use super::*;

    #[test]
    fn who_comes_later_is_told_what_is_left_of_the_phase_that_goes_on() {
        let text = include_str!("../../../wire/golden/message/record.json");
        let mut record: Record = serde_json::from_str(text).unwrap();
        record.phase = Phase::Waiting;
        record.deadline = Some(clock::deadline_in(Duration::from_secs(40)));
        let began = |phase| Event::Phase { phase, seconds_left: Some(60), why: None };
        let left = |phase, record| match as_of_now(began(phase), record) {
            Event::Phase { seconds_left, .. } => seconds_left,
            other => panic!("{other:?}"),
        };
        assert_eq!(left(Phase::Waiting, Some(&record)), Some(40));
        assert_eq!(left(Phase::Checking, Some(&record)), Some(60), "it is over");
        assert_eq!(left(Phase::Waiting, None), Some(60));
    }
}
