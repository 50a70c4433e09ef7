//! `deploy-agent serve`: requests on stdin, replies on stdout, one JSON document
//! a line.

mod confirm;
mod follow;
mod logs;
mod start;
mod status;

use std::io::{self, BufRead, Write};

use anyhow::Result;
use deploy_wire::{
    WIRE_VERSION,
    attempt::{AttemptId, Login},
    message::{Asked, Refusal, RefusalKind, Reply, Request},
    record::Record,
};

use crate::{
    agent::Agent,
    recover,
    stage::{self, refuse},
};

/// Where replies go. Writing fails when nobody is there any more, and that ends
/// this process, not the attempt.
pub struct Replies;

impl Replies {
    /// Writes one.
    pub fn send(&self, reply: &Reply) -> Result<()> {
        let mut line = serde_json::to_vec(reply)?;
        line.push(b'\n');
        let mut out = io::stdout().lock();
        out.write_all(&line)?;
        Ok(out.flush()?)
    }
}

/// Answers requests until stdin ends.
pub fn serve() -> Result<()> {
    let mut staged = None;
    let served = answer_all(&Replies, &mut staged);
    // Who staged it is gone. Without this the machine stays taken until the deadline of a
    // staged attempt: `table-operator-killed-in-stage` proves it.
    let left = staged.map_or(Ok(()), |attempt| start::nobody_will(&attempt));
    served.and(left)
}

/// `staged` is the attempt that was staged in this conversation.
fn answer_all(replies: &Replies, staged: &mut Option<AttemptId>) -> Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        match read(&line) {
            Ok(asked) => answer(&asked, replies, staged)?,
            Err(refusal) => replies.send(&Reply::Refused(refusal))?,
        }
    }
    Ok(())
}

/// The version first: a document of another version may have another shape.
fn read(line: &str) -> Result<Asked, Refusal> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let unreadable = |why: String| refuse(RefusalKind::Unreadable, why);
    let spoken = |error: serde_json::Error| unreadable(format!("the request is not read: {error}"));
    let Versioned { version } = serde_json::from_str(line).map_err(spoken)?;
    if version > WIRE_VERSION || version + 1 < WIRE_VERSION {
        return Err(Refusal {
            hint: Some("bring the agent of the same release with --agent".into()),
            ..unreadable(format!(
                "the request is of version {version}, this agent ({}) speaks {WIRE_VERSION}",
                env!("CARGO_PKG_VERSION")
            ))
        });
    }
    serde_json::from_str(line).map_err(spoken)
}

fn answer(asked: &Asked, replies: &Replies, staged: &mut Option<AttemptId>) -> Result<()> {
    let agent = match Agent::open() {
        Ok(agent) => agent,
        Err(error) => {
            return replies.send(&Reply::Refused(stage::failed(&error)));
        }
    };
    let done = dispatch(&agent, asked, replies, staged);
    match done {
        Err(error) if error.downcast_ref::<io::Error>().is_some() => Err(error),
        Err(error) => replies.send(&Reply::Refused(stage::failed(&error))),
        Ok(()) => Ok(()),
    }
}

fn dispatch(
    agent: &Agent,
    asked: &Asked,
    replies: &Replies,
    staged: &mut Option<AttemptId>,
) -> Result<()> {
    let login: &Option<Login> = &asked.login;
    match &asked.request {
        Request::Status => replies.send(&Reply::Status(Box::new(status::status(agent)?))),
        Request::Stage(wanted) => {
            let reply = match stage::stage(agent, wanted, login.clone()) {
                Ok(record) => {
                    *staged = Some(record.attempt.clone());
                    Reply::Staged { record: Box::new(record) }
                }
                Err(refusal) => Reply::Refused(refusal),
            };
            replies.send(&reply)
        }
        Request::Start { attempt } => start::start(agent, attempt, replies),
        Request::Follow { attempt, from } => match find(agent, attempt, replies)? {
            Some(record) => follow::follow(agent, &record, *from, replies),
            None => Ok(()),
        },
        Request::Confirm { attempt } => confirm::confirm(agent, attempt, login.as_ref(), replies),
        Request::Cancel { attempt, why } => confirm::cancel(agent, attempt, why, replies),
        Request::Logs { attempt } => logs::logs(agent, attempt.as_ref(), replies),
    }
}

/// The record of an attempt, or the refusal for one that there is not. One that a power cut
/// left open is finished first: nobody else does it, and whoever follows it would wait for
/// ever: `a-power-cut-while-waiting-comes-back-on-the-old-system` proves it.
fn find(agent: &Agent, attempt: &AttemptId, replies: &Replies) -> Result<Option<Record>> {
    recover::recover(agent)?;
    let record = agent.ledger.find(attempt)?;
    if record.is_none() {
        let why = format!("this machine knows no attempt {attempt}");
        replies.send(&Reply::Refused(refuse(RefusalKind::NoSuchAttempt, why)))?;
    }
    Ok(record)
}

/// An event that the state machine did not take.
fn not_now(record: &Record, what: &str) -> Reply {
    let why = format!("attempt {} cannot be {what} in phase {}", record.attempt, record.phase);
    Reply::Refused(refuse(RefusalKind::NotNow, why))
}

#[cfg(test)]
mod tests;
