//! From how an attempt ended to what people are told.

use deploy_wire::{
    attempt::AttemptId,
    outcome::{End, Outcome},
    record::Record,
    store_path::StorePath,
};

use super::{activate::refused, confirm::Conclusion};
use crate::{
    error::{Failure, State},
    outcome::Ending,
    report::Finished,
};

/// What is told of an attempt that was started.
pub fn finished(
    machine: &str,
    attempt: &AttemptId,
    record: &Record,
    conclusion: Conclusion,
) -> Finished {
    match conclusion {
        Conclusion::Known(outcome) => known(machine, attempt, record, *outcome),
        Conclusion::Refused(refusal) => {
            Finished::failed(machine.to_owned(), refused(machine, &refusal))
        }
        Conclusion::NotKnown(why) => not_known(machine, attempt, record, &why),
    }
}

fn known(machine: &str, attempt: &AttemptId, record: &Record, outcome: Outcome) -> Finished {
    let failure = (outcome.end != End::Committed).then(|| {
        let what = match outcome.end {
            End::Refused => format!("{machine} refuses the deploy"),
            End::RolledBack => format!("{machine} was rolled back"),
            End::TakenOver => format!("another tool switched {machine} in the middle"),
            End::Stranded | End::Committed => format!("{machine} is stranded"),
        };
        Failure::unchanged(what)
            .because(outcome.why.as_deref().unwrap_or_default())
            .state(state(attempt, record, &outcome))
            .hint(Some(format!("deploy logs {machine} {attempt}")))
    });
    Finished {
        machine: machine.to_owned(),
        ending: Ending::from(outcome.end),
        attempt: Some(attempt.to_string()),
        mode: record.mode,
        runs: outcome.runs.as_ref().map(StorePath::to_string),
        boots: Some(outcome.boots.to_string()),
        generation: outcome.generation,
        notes: outcome.notes,
        failure,
    }
}

fn state(attempt: &AttemptId, record: &Record, outcome: &Outcome) -> State {
    let runs = outcome.runs.as_ref();
    let named = |path: &StorePath| format!("{} ({})", &path.hash()[..7], path.name());
    let running = match runs {
        Some(path) => format!("runs {}", named(path)),
        None => "runs no system that can be told".into(),
    };
    let boots = match &outcome.boots {
        deploy_wire::outcome::BootDefault::Known(path) if Some(path) == runs => "boots it".into(),
        deploy_wire::outcome::BootDefault::Known(path) => format!("boots {}", named(path)),
        deploy_wire::outcome::BootDefault::Unknown(why) => format!("boots: not known ({why})"),
    };
    match outcome.end {
        End::Refused => State::Unchanged,
        End::RolledBack => {
            let generation = match record.profile.generation {
                Some(number) if record.profile.system.as_ref() == runs => {
                    format!("back on generation {number}: ")
                }
                _ => "back: ".to_owned(),
            };
            State::Changed(format!(
                "{generation}{running}, {boots}; attempt {attempt} was not made a generation"
            ))
        }
        End::Stranded => State::NotKnown(format!("{running}, {boots}")),
        End::TakenOver | End::Committed => State::Changed(format!("{running}, {boots}")),
    }
}

fn not_known(machine: &str, attempt: &AttemptId, record: &Record, why: &str) -> Finished {
    let failure = Failure::unchanged(format!("{machine} does not say how attempt {attempt} ended"))
        .because(why)
        .state(State::NotKnown(format!(
            "not known; unconfirmed it goes back to {} by itself",
            record.ran
        )))
        .hint(Some(format!("deploy status {machine}, once it can be reached")));
    Finished {
        machine: machine.to_owned(),
        ending: Ending::NotKnown,
        attempt: Some(attempt.to_string()),
        mode: record.mode,
        runs: None,
        boots: None,
        generation: None,
        notes: Vec::new(),
        failure: Some(failure),
    }
}
