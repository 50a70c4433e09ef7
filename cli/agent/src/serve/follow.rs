//! Telling the events of an attempt, from any number on, to its end.

use std::thread;

use anyhow::{Result, bail};
use deploy_wire::{message::Reply, record::Record};

use super::Replies;
use crate::{agent::Agent, clock, events::Events, recover};

/// Tells them, then how it ended.
pub fn follow(agent: &Agent, record: &Record, from: u64, replies: &Replies) -> Result<()> {
    let attempt = &record.attempt;
    let mut events = Events::of(attempt).reader();
    loop {
        // The record first: what was told before its end is then all there.
        let now = agent.ledger.find(attempt)?;
        while let Some((number, event)) = events.next() {
            if number >= from {
                replies.send(&Reply::Event { number, event })?;
            }
        }
        if let Some(outcome) = now.and_then(|record| record.outcome) {
            recover::wait_for_rest(record);
            let attempt = attempt.clone();
            return replies.send(&Reply::Ended { attempt, outcome });
        }
        thread::sleep(clock::TICK);
    }
}

/// Waits for the end without telling what happens until then.
pub fn wait(agent: &Agent, record: &Record, replies: &Replies) -> Result<()> {
    let ended = recover::wait_for_end(agent, record)?.and_then(|record| record.outcome);
    let Some(outcome) = ended else {
        bail!("attempt {} does not come to an end", record.attempt);
    };
    recover::wait_for_rest(record);
    replies.send(&Reply::Ended { attempt: record.attempt.clone(), outcome })
}
