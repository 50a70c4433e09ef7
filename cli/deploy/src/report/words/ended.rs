//! The ends of machines and runs as text.

use deploy_wire::{attempt::Mode, outcome::BootDefault};

use crate::{
    error::Failure,
    outcome::Ending,
    report::{
        Finished,
        line::{Line, Tone},
    },
};

/// The end of the command on one machine.
pub fn finished(finished: &Finished) -> Vec<Line> {
    let name = &finished.machine;
    let notes = finished.notes.iter();
    if let Some(failure) = &finished.failure {
        let notes = notes.map(|note| Line::plain(format!("  note:  {note}")));
        return self::failure(failure).into_iter().chain(notes).collect();
    }
    let loader = match &finished.boots {
        Some(BootDefault::Unknown(why)) => Some(format!("boots: not known ({why})")),
        _ => None,
    };
    // The agent may have sent the same note.
    let notes = notes.filter(|note| Some(*note) != loader.as_ref());
    let notes = loader.iter().chain(notes).map(|note| Line::plain(format!("{name}: note: {note}")));
    std::iter::once(head(finished)).chain(notes).collect()
}

fn head(finished: &Finished) -> Line {
    let name = &finished.machine;
    let generation =
        finished.generation.map(|number| format!(" generation {number}")).unwrap_or_default();
    let is = describe_system(finished);
    if finished.profiles_alone {
        return of_profiles(finished);
    }
    match (finished.ending, finished.mode) {
        (Ending::UpToDate, _) => {
            let text = format!("{name}: already up to date:{generation} {is}");
            Line::with(text, Tone::Good, "already up to date")
        }
        (Ending::Looked, _) => Line::plain(format!("{name}: nothing was switched")),
        (_, Mode::Switch) => {
            let text = format!("{name}: committed{generation}: {is}");
            Line::with(text, Tone::Good, "committed")
        }
        (_, Mode::Test) => {
            let boots = finished.boots.as_ref().map_or_else(not_known, ToString::to_string);
            let confirmed = if finished.confirmed { ", confirmed" } else { "" };
            let text = format!("{name}: runs it{confirmed}; boots still: {boots}");
            Line::with(text, Tone::Good, "runs it")
        }
        (_, Mode::Boot) => {
            let runs = finished.runs.clone().unwrap_or_else(not_known);
            let text = format!("{name}: boots{generation} next; runs still: {runs}");
            Line::with(text, Tone::Good, "boots")
        }
    }
}

/// The end of a deploy of profiles alone.
fn of_profiles(finished: &Finished) -> Line {
    let name = &finished.machine;
    let profiles = finished.profiles.join(", ");
    match finished.ending {
        Ending::UpToDate => {
            let text = format!("{name}: already up to date: {profiles}");
            Line::with(text, Tone::Good, "already up to date")
        }
        Ending::Looked => Line::plain(format!("{name}: nothing was switched")),
        _ => {
            let text = format!("{name}: committed: {profiles}; the system stays");
            Line::with(text, Tone::Good, "committed")
        }
    }
}

/// Describes a machine on the wanted system, and says no more than is known.
fn describe_system(finished: &Finished) -> &'static str {
    let boots = matches!(finished.boots, Some(BootDefault::Known(_)));
    match (boots, finished.confirmed) {
        (true, true) => "runs, boots and is confirmed",
        (false, true) => "runs and is confirmed",
        (true, false) => "runs and boots",
        (false, false) => "runs",
    }
}

fn not_known() -> String {
    "not known".into()
}

/// The lines of a failure: what failed, why, the state, and what to do.
pub fn failure(failure: &Failure) -> Vec<Line> {
    let text = failure.to_string();
    let mut lines = text.lines();
    let first = lines.next().map(|line| Line::with(line, Tone::Error, "error:"));
    first.into_iter().chain(lines.map(Line::plain)).collect()
}

/// A line for each of several machines, and the meaning of the exit code. A single machine's end
/// already says both.
pub fn summary(machines: &[(String, Ending)], code: u8) -> Vec<Line> {
    if machines.len() < 2 {
        return Vec::new();
    }
    let width = machines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let line = |(name, ending): &(String, Ending)| {
        let word = ending_word(*ending);
        let text = format!("  {name:width$}  {word}");
        match ending {
            Ending::UpToDate | Ending::Committed => Line::with(text, Tone::Good, word),
            Ending::Looked => Line::plain(text),
            Ending::Unchanged | Ending::RolledBack | Ending::TakenOver => {
                Line::with(text, Tone::Warning, word)
            }
            Ending::Stranded | Ending::NotKnown => Line::with(text, Tone::Error, word),
        }
    };
    std::iter::once(Line::plain(format!("{} machines:", machines.len())))
        .chain(machines.iter().map(line))
        .chain([Line::plain(format!("exit code {code}: {}", meaning(code)))])
        .collect()
}

fn ending_word(ending: Ending) -> &'static str {
    match ending {
        Ending::UpToDate => "already up to date",
        Ending::Committed => "committed",
        Ending::Looked => "nothing was switched",
        Ending::Unchanged => "not changed",
        Ending::RolledBack => "rolled back",
        Ending::TakenOver => "taken over by another tool",
        Ending::Stranded => "stranded",
        Ending::NotKnown => "not known",
    }
}

/// The meaning of an exit code.
fn meaning(code: u8) -> &'static str {
    match code {
        0 => "every machine is as asked for",
        1 => "nothing was changed anywhere",
        3 => "every machine that was changed is back on what ran before",
        4 => "mixed, taken over, or interrupted too late; every state is known",
        130 => "interrupted before anything was changed",
        _ => "some machine is stranded, or its state is not known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(ending: Ending, mode: Mode, confirmed: bool) -> Finished {
        let boots = BootDefault::Unknown("no boot loader file in /boot".into());
        Finished {
            ending,
            mode,
            confirmed,
            boots: Some(boots),
            notes: vec!["boots: not known (no boot loader file in /boot)".into()],
            ..Finished::failed("frame1".into(), Failure::unchanged("x"))
        }
    }

    #[test]
    fn an_end_is_confirmed_only_where_somebody_confirmed_it() {
        for (ending, mode) in [(Ending::UpToDate, Mode::Switch), (Ending::Committed, Mode::Test)] {
            let says = |confirmed| {
                let told = ended(ending, mode, confirmed);
                head(&told).text().as_str().contains("confirmed")
            };
            assert!(says(true) && !says(false), "{ending:?}");
        }
    }

    #[test]
    fn what_the_agent_noted_of_the_boot_default_is_said_once() {
        let told = Finished { failure: None, ..ended(Ending::Committed, Mode::Switch, true) };
        let said =
            finished(&told).iter().filter(|line| line.text().as_str().contains("boots:")).count();
        assert_eq!(said, 1);
    }
}
