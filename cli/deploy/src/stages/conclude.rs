//! Turns the end of an attempt into what people see. No machine is asked here: all that is said was
//! seen before.

use deploy_wire::{
    attempt::AttemptId,
    outcome::{BootDefault, End, Outcome},
    record::Record,
    store_path::StorePath,
};

use super::{
    activate::refused,
    confirm::{
        Conclusion,
        interrupted::{Confirmation, Left},
    },
};
use crate::{
    error::{Failure, State},
    outcome::Ending,
    report::Finished,
    tools::shell,
};

/// The report of a started attempt. `confirmed` is the system that was confirmed before it.
pub fn finished(
    record: &Record,
    confirmed: Option<&StorePath>,
    conclusion: Conclusion,
) -> Finished {
    match conclusion {
        Conclusion::Known(outcome) => finish_known(record, confirmed, *outcome),
        Conclusion::Refused(refusal) => {
            let machine = &record.machine;
            Finished::failed(machine.clone(), refused(machine, &refusal))
        }
        Conclusion::Left(left) => finish_unfollowed(record, confirmed, &left),
        Conclusion::NotKnown(why) => finish_not_known(record, confirmed, &why),
    }
}

impl Finished {
    /// Adds why no new login confirmed the attempt, which the machine cannot know.
    pub fn with_login(mut self, no_login: Option<String>) -> Self {
        let went_back = matches!(self.ending, Ending::RolledBack | Ending::Stranded);
        self.failure = match (self.failure, no_login) {
            (Some(failure), Some(why)) if went_back => Some(failure.because(why)),
            (failure, _) => failure,
        };
        self
    }
}

fn finish_known(record: &Record, confirmed: Option<&StorePath>, outcome: Outcome) -> Finished {
    let Record { machine, attempt, .. } = record;
    let failure = failed(record, confirmed, &outcome).map(|(what, state, hint)| {
        Failure::unchanged(what)
            .because(outcome.why.as_deref().unwrap_or_default())
            .state(state)
            .hint(Some(hint))
    });
    Finished {
        machine: machine.clone(),
        ending: Ending::from(outcome.end),
        attempt: Some(attempt.to_string()),
        mode: record.mode,
        confirmed: outcome.end == End::Committed && record.rules.confirm.required,
        runs: outcome.runs.as_ref().map(StorePath::to_string),
        boots: Some(outcome.boots),
        generation: outcome.generation,
        profiles: record.profiles.iter().map(ToString::to_string).collect(),
        profiles_alone: record.profiles_alone,
        notes: outcome.notes,
        failure,
    }
}

/// The report of an attempt without a commit: what failed, the state, and what to do.
fn failed(
    record: &Record,
    confirmed: Option<&StorePath>,
    outcome: &Outcome,
) -> Option<(String, State, String)> {
    let Record { machine, attempt, .. } = record;
    let logs = format!("deploy logs {} {attempt}", shell::quote(machine));
    let is = describe_outcome(outcome);
    Some(match outcome.end {
        End::Committed => return None,
        End::Refused => (format!("{machine} was not switched"), State::Unchanged, logs),
        End::RolledBack => (
            format!("{machine} was rolled back"),
            describe_way_back(record, confirmed, outcome),
            logs,
        ),
        End::TakenOver => (
            format!("another tool switched {machine} in the middle"),
            State::Changed(format!("{is}; attempt {attempt} stopped there and undid nothing")),
            format!("deploy {machine} again starts from what runs now; {logs}"),
        ),
        End::Stranded => {
            let reached = match &outcome.runs {
                _ if record.profiles_alone => "its profiles are neither activated nor all back",
                Some(runs) if *runs == record.wanted => {
                    "the new system runs, but was not committed"
                }
                Some(runs) if *runs == record.ran => {
                    "the previous system runs, but not everything is as it was"
                }
                _ => "neither the new system nor the previous one runs",
            };
            (
                format!("{machine} is stranded: {reached}"),
                State::NotKnown(is),
                format!("at its console, as root: /run/deploy-agent/agent status; {logs}"),
            )
        }
    })
}

fn describe_way_back(record: &Record, confirmed: Option<&StorePath>, outcome: &Outcome) -> State {
    let attempt = &record.attempt;
    let Some(runs) = &outcome.runs else {
        return State::NotKnown(format!(
            "{}; attempt {attempt} is over",
            describe_outcome(outcome)
        ));
    };
    let boots = match &outcome.boots {
        BootDefault::Known(path) if path == runs => " and boots".to_owned(),
        boots => format!("; {}", boots_words(boots)),
    };
    State::Changed(format!(
        "back on {}, which runs{boots}; attempt {attempt} was not made a generation",
        name_system_of_before(record, runs, confirmed)
    ))
}

/// The name of a system that ran before the attempt, as people know it.
fn name_system_of_before(
    record: &Record,
    system: &StorePath,
    confirmed: Option<&StorePath>,
) -> String {
    let what = match record.profile.generation {
        Some(number) if record.profile.system.as_ref() == Some(system) => {
            format!("generation {number}")
        }
        _ => name_system(system),
    };
    let is = match confirmed {
        Some(confirmed) if confirmed == system => "confirmed",
        Some(_) => "not confirmed",
        None => "the baseline: nothing was confirmed yet",
    };
    format!("{what} ({is})")
}

/// The running system and the boot default, by names that `nix path-info` finds.
fn describe_outcome(outcome: &Outcome) -> String {
    let Some(runs) = &outcome.runs else {
        return format!("what runs is not known, {}", boots_words(&outcome.boots));
    };
    match &outcome.boots {
        BootDefault::Known(boots) if boots == runs => {
            format!("runs and boots {}", name_system(runs))
        }
        boots => format!("runs {}, {}", name_system(runs), boots_words(boots)),
    }
}

fn boots_words(boots: &BootDefault) -> String {
    match boots {
        BootDefault::Known(path) => format!("boots {}", name_system(path)),
        BootDefault::Unknown(why) => format!("boots: not known ({why})"),
    }
}

fn name_system(path: &StorePath) -> String {
    format!("{}-{}", &path.hash()[..7], path.name())
}

/// The report when the machine could not be asked until long after the last deadline. The machine
/// has decided by itself, and one of two outcomes is certain.
fn finish_not_known(record: &Record, confirmed: Option<&StorePath>, why: &str) -> Finished {
    let Record { machine, attempt, .. } = record;
    let failure = Failure::unchanged(format!(
        "cannot find out how attempt {attempt} on {machine} ended"
    ))
    .because(why)
    .state(State::NotKnown(format!(
        "not known; its deadlines are over: it is back on {}, or on {} if that was confirmed",
        name_system_of_before(record, &record.ran, confirmed),
        name_system(&record.wanted)
    )))
    .hint(Some(hint_at_status(machine, attempt)));
    without_an_end(record, failure)
}

/// The report of an attempt that is not over and that nobody follows any more.
fn finish_unfollowed(record: &Record, confirmed: Option<&StorePath>, left: &Left) -> Finished {
    let Record { machine, attempt, .. } = record;
    let confirmation = Confirmation::of(&record.rules.confirm);
    let before = name_system_of_before(record, &record.ran, confirmed);
    let words = left.words(&before, &name_system(&record.wanted), confirmation);
    let failure = Failure::unchanged(format!("stopped following attempt {attempt} on {machine}"))
        .because(&left.why)
        .state(State::NotKnown(words))
        .hint(Some(format!(
            "deploy logs {} {attempt} --follow tells the rest",
            shell::quote(machine)
        )));
    without_an_end(record, failure)
}

fn without_an_end(record: &Record, failure: Box<Failure>) -> Finished {
    Finished {
        mode: record.mode,
        ending: Ending::NotKnown,
        attempt: Some(record.attempt.to_string()),
        ..Finished::failed(record.machine.clone(), failure)
    }
}

fn hint_at_status(machine: &str, attempt: &AttemptId) -> String {
    let machine = shell::quote(machine);
    format!("deploy status {machine}, once it can be reached; attempt {attempt} is named there")
}

#[cfg(test)]
mod tests;
