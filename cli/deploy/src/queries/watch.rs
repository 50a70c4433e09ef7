//! Follows an attempt that another operator began, or with which this computer lost contact. It
//! neither confirms the attempt nor gives it up.

use deploy_wire::{
    attempt::AttemptId,
    machine::Machine,
    message::{Refusal, Request},
    outcome::Outcome,
    record::Record,
};
use tokio::time::Instant;

use crate::stages::{
    activate::{Followed, Seen, Watch, follow, quote_hint},
    ask::{self, Passwords, Probed, Way},
    confirm::{longest, patience, pauses},
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::{
        agent::{AgentError, Conversation},
        limit::within,
        shell,
    },
};

/// Reports the events of an attempt until it is over. Without an id it follows the open attempt or
/// the last one. It logs in again after a lost login, as long as the attempt can last.
pub async fn follow_to_its_end(
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
    let until = Instant::now() + patience(&machine, None);
    let mut pauses = pauses();
    loop {
        let lost = match follow_at(&probed, &record, &attempt, &mut followed, report).await {
            Ok(Seen::Ended(outcome)) => {
                lines(&attempt, &outcome).into_iter().for_each(note);
                return Ok(());
            }
            Ok(Seen::Refused(refusal)) => return Err(unreadable_log(&name, &refusal)),
            Ok(Seen::Waiting) => continue,
            Ok(Seen::Lost(error)) | Err(error) => error,
        };
        note(format!("{lost}; logging in again"));
        probed = loop {
            let pause = pauses.next().expect("the last pause repeats");
            if Instant::now() + pause > until {
                return Err(Failure::unchanged(format!("lost contact with {name}"))
                    .because(lost)
                    .hint(Some(format!(
                        "deploy status {}, once it can be reached",
                        shell::quote(&name)
                    ))));
            }
            tokio::time::sleep(pause).await;
            if let Ok(probed) = ask::ask(machine.clone(), way, passwords, report).await {
                break probed;
            }
        };
    }
}

/// The failure when the agent refuses to send an attempt's log.
pub fn unreadable_log(name: &str, refusal: &Refusal) -> Box<Failure> {
    Failure::unchanged(format!("cannot read the log on {name}"))
        .because(&refusal.why)
        .hint(quote_hint(name, refusal))
}

/// The open attempt or the last one, as read at the login.
fn recorded(probed: &Probed) -> Result<Record> {
    let name = &probed.machine.name;
    match &probed.facts.attempt {
        Ok(Some(record)) => Ok(record.clone()),
        Ok(None) => Err(Failure::unchanged(format!("{name} has no attempts"))
            .because("no deploy has run there: it has no record")),
        Err(why) => {
            Err(Failure::unchanged(format!("cannot read the record on {name}")).because(why))
        }
    }
}

/// Follows an attempt, but no longer than it can last:
/// `a_watched_machine_that_says_nothing_is_given_up_once_its_attempt_must_be_over` proves it. It
/// asks the attempt's own agent, because no other agent has to be rooted meanwhile.
async fn follow_at(
    probed: &Probed,
    record: &Record,
    attempt: &AttemptId,
    followed: &mut Followed,
    report: &Report,
) -> std::result::Result<Seen, AgentError> {
    let limit = longest(&probed.machine, followed.phase);
    let seen = async {
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
    };
    within(limit, seen).await?
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use deploy_wire::phase::Phase;
    use tokio::time::timeout;

    use super::*;
    use crate::{
        report::{Format, shown},
        stages::ask::here::Here,
    };

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_watched_machine_that_says_nothing_is_given_up_once_its_attempt_must_be_over() {
        for phase in [None, Some(Phase::Waiting)] {
            let here = Here::with_agent("exec sleep 1000").unwrap();
            let (report, _) = shown::report(Format::People);
            let mut followed = Followed { phase, ..Followed::default() };
            let begun = Instant::now();
            let seen =
                follow_at(&here.probed, &here.record, &here.record.attempt, &mut followed, &report);
            let seen = timeout(Duration::from_secs(24 * 3600), seen).await;
            let Ok(Err(AgentError::Late(late))) = seen else { panic!("{phase:?}: {seen:?}") };
            let limit = longest(&here.probed.machine, phase);
            assert_eq!((late.0, begun.elapsed().as_secs()), (limit, limit.as_secs()));
        }
    }
}
