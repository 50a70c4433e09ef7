//! Watching an attempt that somebody else began, or that this computer lost sight of. It is
//! neither confirmed nor given up from here.

use std::time::Instant;

use deploy_wire::{
    attempt::AttemptId,
    machine::Machine,
    message::{Refusal, Request},
    outcome::Outcome,
    record::Record,
};

use super::{
    activate::{Followed, Seen, Watch, follow},
    ask::{self, Passwords, Probed, Way},
    confirm::{patience, pauses},
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::agent::{AgentError, Conversation},
};

/// Tells what happens in an attempt, the open one or the last one unless it is named, until it
/// is over. A lost login is made again as long as the attempt may last.
pub async fn to_its_end(
    machine: Machine,
    attempt: Option<&AttemptId>,
    way: Way,
    passwords: &mut Passwords,
    report: &Report,
) -> Result<()> {
    let name = machine.name.clone();
    let note = |text: String| report.tell(Event::Note { machine: name.clone(), text });
    let mut followed = Followed::default();
    let mut probed = ask::ask(machine.clone(), way, passwords, report).await?;
    let record = recorded(&probed)?;
    let attempt = attempt.unwrap_or(&record.attempt).clone();
    let until = Instant::now() + patience(&machine);
    let mut pauses = pauses();
    loop {
        let lost = match follow_at(&probed, &record, &attempt, &mut followed, report).await {
            Ok(Seen::Ended(outcome)) => {
                lines(&attempt, &outcome).into_iter().for_each(note);
                return Ok(());
            }
            Ok(Seen::Refused(refusal)) => return Err(untold(&name, &refusal)),
            Ok(Seen::Waiting) => continue,
            Ok(Seen::Lost(error)) | Err(error) => error,
        };
        note(format!("{lost}; logging in again"));
        probed = loop {
            let pause = pauses.next().expect("the last pause repeats");
            if Instant::now() + pause > until {
                return Err(Failure::unchanged(format!("{name} was lost sight of"))
                    .because(lost)
                    .hint(Some(format!("deploy status {name}, once it can be reached"))));
            }
            tokio::time::sleep(pause).await;
            if let Ok(probed) = ask::ask(machine.clone(), way, passwords, report).await {
                break probed;
            }
        };
    }
}

/// The failure that an agent's refusal to tell of an attempt means.
pub fn untold(name: &str, refusal: &Refusal) -> Box<Failure> {
    Failure::unchanged(format!("the log on {name} cannot be read"))
        .because(&refusal.why)
        .hint(refusal.hint.clone())
}

/// The open attempt or the last one, as the login told.
fn recorded(probed: &Probed) -> Result<Record> {
    let name = &probed.machine.name;
    match &probed.facts.attempt {
        Ok(Some(record)) => Ok(record.clone()),
        Ok(None) => Err(Failure::unchanged(format!("{name} has no attempts"))
            .because("deploy was never there: it has no record")),
        Err(why) => {
            Err(Failure::unchanged(format!("the record on {name} cannot be read")).because(why))
        }
    }
}

/// Asks the attempt's own agent: while it is under way no other need be rooted.
async fn follow_at(
    probed: &Probed,
    record: &Record,
    attempt: &AttemptId,
    followed: &mut Followed,
    report: &Report,
) -> std::result::Result<Seen, AgentError> {
    let rooted = probed.facts.agent.as_ref().filter(|_| !record.is_open());
    let script = probed.serve(rooted.unwrap_or(&record.agent).as_str());
    let running = probed.place.spawn(&script).await.map_err(|_| AgentError::Ended)?;
    let prefix = probed.root.stdin_prefix();
    let login = probed.login.clone();
    let mut watch: Watch<'_> =
        Conversation::begin(running.stdout, running.stdin, login, &prefix).await?;
    watch.ask(Request::Follow { attempt: attempt.clone(), from: followed.next }).await?;
    loop {
        match follow(&mut watch, &probed.machine.name, followed, report).await {
            Seen::Waiting => {}
            other => return Ok(other),
        }
    }
}

fn lines(attempt: &AttemptId, outcome: &Outcome) -> Vec<String> {
    let why = outcome.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let runs = outcome.runs.as_ref().map_or("not known".to_owned(), ToString::to_string);
    let first = [
        format!("attempt {attempt} is over: {}{why}", outcome.end),
        format!("runs {runs}"),
        format!("boots {}", outcome.boots),
    ];
    first.into_iter().chain(outcome.notes.iter().cloned()).collect()
}
