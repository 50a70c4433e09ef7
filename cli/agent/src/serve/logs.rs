//! The journal of an attempt.

use anyhow::Result;
use deploy_wire::{
    attempt::AttemptId,
    message::{RefusalKind, Reply},
    record::Record,
};

use super::{Replies, find};
use crate::{
    attempt::{agent::Agent, stage::refuse},
    tools::journal,
};

/// Sends a summary of the record, then the journal of the attempt's units.
pub fn logs(agent: &Agent, attempt: Option<&AttemptId>, replies: &Replies) -> Result<()> {
    let record = match attempt {
        Some(attempt) => match find(agent, attempt, replies)? {
            Some(record) => record,
            None => return Ok(()),
        },
        None => match agent.ledger.record()? {
            Some(record) => record,
            None => {
                let why = "there is no attempt on this machine";
                return replies.send(&Reply::Refused(refuse(RefusalKind::NoSuchAttempt, why)));
            }
        },
    };
    for line in summary(&record).into_iter().chain(journal::of_units(&units(&record.attempt))?) {
        replies.send(&Reply::Log { line })?;
    }
    replies.send(&Reply::Done)
}

fn units(attempt: &AttemptId) -> Vec<String> {
    ["agent", "switch", "rollback"].map(|part| format!("deploy-{part}-{attempt}*")).to_vec()
}

fn summary(record: &Record) -> Vec<String> {
    let operator = &record.operator;
    let mut lines = vec![
        format!("attempt {} of {} at {}", record.attempt, operator.user, operator.host),
        format!("wanted: {}", record.wanted),
        format!("ran before: {}", record.ran),
        format!("booted before: {}", record.boots),
    ];
    match &record.outcome {
        None => lines.push(format!("phase: {}", record.phase)),
        Some(outcome) => {
            let why = outcome.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            lines.push(format!("{}{why}", outcome.end));
            lines.extend(outcome.notes.iter().map(|note| format!("note: {note}")));
        }
    }
    lines
}
