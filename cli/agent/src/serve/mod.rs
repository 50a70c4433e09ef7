//! `deploy-agent serve`: requests on stdin, replies on stdout, one JSON document per line. An attempt
//! goes on without it: nothing here moves one but by an event that it offers.

mod confirm;
mod follow;
mod logs;
mod start;
mod status;

use std::{
    fmt,
    io::{self, BufRead, Write},
};

use anyhow::Result;
use deploy_wire::{
    WIRE_VERSION,
    attempt::{AttemptId, Login},
    builder_push::BuilderPush,
    message::{Answered, Asked, Refusal, RefusalKind, Reply, Request},
    record::Record,
};

use crate::{
    attempt::{
        agent::Agent,
        recover,
        stage::{self, refuse},
    },
    builder::{self, Accepted},
    trust::{self, Trust, origin::Origin},
};

/// The output for replies. If the reader is gone, writing fails, which ends this process but not
/// the attempt.
pub struct Replies;

impl Replies {
    pub fn send(&self, reply: &Reply) -> Result<()> {
        let mut line = serde_json::to_vec(&Answered { version: WIRE_VERSION, reply })?;
        line.push(b'\n');
        let mut out = io::stdout().lock();
        Ok(out.write_all(&line).and_then(|()| out.flush()).map_err(Gone)?)
    }
}

/// The reader of the replies is gone. Other failures are reported, because `deploy` takes a missing
/// reply to mean that it may not run the agent.
#[derive(Debug)]
struct Gone(io::Error);

impl std::error::Error for Gone {}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write the replies: {}", self.0)
    }
}

/// Answers requests until stdin ends.
pub fn serve(trust: Trust) -> Result<()> {
    let mut held = Held::default();
    let asks = Asks { trust, origin: Origin::here() };
    let served = answer_all(&asks, &Replies, &mut held);
    // The key of a builder goes with the operator: `a-builder-s-key-goes-with-the-operator`.
    drop(held.builder);
    // The operator who staged the attempt is gone. Without this the machine stays taken until the
    // deadline of the phase `stage`: `table-operator-killed-in-stage` proves it.
    let left = held.staged.map_or(Ok(()), |attempt| start::give_up_staged(&attempt));
    served.and(left)
}

/// What ends with this conversation.
#[derive(Default)]
struct Held {
    /// The attempt that it staged.
    staged: Option<AttemptId>,
    /// The builder that it accepted.
    builder: Option<Accepted>,
}

/// The sender of the requests in this conversation.
struct Asks {
    trust: Trust,
    origin: Origin,
}

/// Answers the requests.
fn answer_all(asks: &Asks, replies: &Replies, held: &mut Held) -> Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        match read(&line) {
            Ok(asked) => answer(asks, &asked, replies, held)?,
            Err(refusal) => replies.send(&Reply::Refused(refusal))?,
        }
    }
    Ok(())
}

/// Checks the version first, because a document of another version may have other fields.
fn read(line: &str) -> Result<Asked, Refusal> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let unreadable = |why: String| refuse(RefusalKind::Unreadable, why);
    let spoken = |error: serde_json::Error| unreadable(format!("cannot read the request: {error}"));
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

fn answer(asks: &Asks, asked: &Asked, replies: &Replies, held: &mut Held) -> Result<()> {
    trust::note(&asks.origin, &asked.request);
    let agent = match Agent::open() {
        Ok(agent) => agent,
        Err(error) => {
            return replies.send(&Reply::Refused(stage::failed(&error)));
        }
    };
    let done = dispatch(&agent, asks, asked, replies, held);
    match done {
        Err(error) if error.downcast_ref::<Gone>().is_some() => Err(error),
        Err(error) => replies.send(&Reply::Refused(stage::failed(&error))),
        Ok(()) => Ok(()),
    }
}

fn dispatch(
    agent: &Agent,
    asks: &Asks,
    asked: &Asked,
    replies: &Replies,
    held: &mut Held,
) -> Result<()> {
    let login = asks.trust.login(&asks.origin, asked.login.as_ref());
    match &asked.request {
        Request::Status => replies.send(&Reply::Status(Box::new(status::status(agent)?))),
        Request::Stage(wanted) => {
            let reply = match stage::stage(agent, wanted, login.cloned(), asks.trust) {
                Ok(record) => {
                    held.staged = Some(record.attempt.clone());
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
        Request::Confirm { attempt } => confirm::confirm(agent, attempt, login, replies),
        Request::Cancel { attempt, why } => confirm::cancel(agent, attempt, why, replies),
        Request::Logs { attempt } => logs::logs(agent, attempt.as_ref(), replies),
        Request::AcceptBuilder(push) => {
            replies.send(&accept_builder(push, asks.trust, login, &mut held.builder))
        }
        Request::AwaitBuilder => replies.send(&await_builder(held.builder.as_ref())),
    }
}

/// A user who may run only the agent as root may let in nobody else.
fn accept_builder(
    push: &BuilderPush,
    trust: Trust,
    login: Option<&Login>,
    accepted: &mut Option<Accepted>,
) -> Reply {
    let no_builder = |why: &str| Reply::Refused(refuse(RefusalKind::NoBuilder, why));
    if trust != Trust::Request {
        return no_builder("a user who may run only the agent cannot let a builder in");
    }
    if accepted.is_some() {
        return no_builder("a builder is accepted already");
    }
    match builder::accept(push, login) {
        Ok(builder) => {
            let host_keys = builder.host_keys.clone();
            *accepted = Some(builder);
            Reply::AcceptsBuilder { host_keys }
        }
        Err(refusal) => Reply::Refused(refusal),
    }
}

fn await_builder(accepted: Option<&Accepted>) -> Reply {
    let Some(builder) = accepted else {
        return Reply::Refused(refuse(RefusalKind::NoBuilder, "no builder is accepted"));
    };
    match builder.wait() {
        Ok(()) => Reply::Done,
        Err(error) => Reply::Refused(stage::failed(&error)),
    }
}

/// The record of an attempt, or the refusal if there is none. An attempt that a power cut left open
/// is finished first. No other process would do it, and its follower would wait forever:
/// `a-power-cut-while-waiting-comes-back-on-the-old-system` proves it.
fn find(agent: &Agent, attempt: &AttemptId, replies: &Replies) -> Result<Option<Record>> {
    recover::recover(agent)?;
    let record = agent.ledger.find(attempt)?;
    if record.is_none() {
        let why = format!("there is no attempt {attempt} on this machine");
        replies.send(&Reply::Refused(refuse(RefusalKind::NoSuchAttempt, why)))?;
    }
    Ok(record)
}

/// The refusal of an event that has no effect in the attempt's phase.
fn refuse_in_this_phase(record: &Record, what: &str) -> Reply {
    let why = format!("attempt {} cannot be {what} in phase {}", record.attempt, record.phase);
    Reply::Refused(refuse(RefusalKind::NotNow, why))
}

#[cfg(test)]
mod tests;
