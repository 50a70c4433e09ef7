//! Events in words.

use deploy_wire::{event::Event as Happened, message::Mode, phase::Phase, store_path::StorePath};

use super::{Event, Finished, Stage};
use crate::{outcome::Ending, report::Detail, tools::nix_log::Progress};

/// The lines that an event means to people; none for one that is only progress.
pub fn lines(event: &Event, detail: Detail) -> Vec<String> {
    match event {
        Event::Evaluating { .. } => Vec::new(),
        Event::Checking { flake } => vec![format!("running the checks of {flake}")],
        Event::Evaluated { machines, kept, milliseconds } => {
            let how = if *kept { "kept evaluation" } else { "evaluated" };
            vec![format!("{how}: {} ({})", machines.join(", "), seconds(*milliseconds))]
        }
        Event::Stage { machine, stage } => vec![format!("{machine}: {}", stage_word(*stage))],
        Event::Build { machine, progress } => match progress {
            Progress::Building(drv) => vec![format!("{machine}: building {}", drv_name(drv))],
            Progress::Log(line) if detail == Detail::Everything => {
                vec![format!("{machine}: > {line}")]
            }
            _ => Vec::new(),
        },
        Event::Push { .. } | Event::Login { .. } => Vec::new(),
        Event::Plan { machine, lines } | Event::Status { machine, lines, .. } => {
            std::iter::once(format!("{machine}:"))
                .chain(lines.iter().map(|line| format!("  {line}")))
                .collect()
        }
        Event::Log { line, .. } => vec![line.clone()],
        Event::Changes { machine, lines } => {
            lines.iter().map(|line| format!("{machine}:   {line}")).collect()
        }
        Event::Agent { machine, event } => {
            happened(event, detail).map(|text| format!("{machine}: {text}")).into_iter().collect()
        }
        Event::Note { machine, text } => vec![format!("{machine}: {text}")],
        Event::Warning { machine: Some(machine), text } => {
            vec![format!("warning: {machine}: {text}")]
        }
        Event::Warning { machine: None, text } => vec![format!("warning: {text}")],
        Event::Finished(finished) => self::finished(finished),
        Event::Failed(failure) => failure.to_string().lines().map(str::to_owned).collect(),
    }
}

fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Ask => "logging in",
        Stage::Build => "building",
        Stage::Push => "pushing",
        Stage::Stage => "taking the machine",
    }
}

fn happened(event: &Happened, detail: Detail) -> Option<String> {
    Some(match event {
        // The line about the machine's end says it with its state.
        Happened::Phase { phase: Phase::Ended, .. } => return None,
        Happened::Phase { phase, seconds_left, why } => {
            let limit = seconds_left.map(|left| format!(" (at most {left} s)")).unwrap_or_default();
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("{}{limit}{why}", phase_word(*phase))
        }
        Happened::Line { text } if detail == Detail::Everything => format!("> {text}"),
        Happened::Line { .. } => return None,
        Happened::Switched { status: Some(0) } => "switched".into(),
        Happened::Switched { status: Some(status) } => {
            format!("the switch ended with status {status}")
        }
        Happened::Switched { status: None } => "the switch was killed".into(),
        Happened::Check { name, passes: true, detail } => format!("check {name} passes: {detail}"),
        Happened::Check { name, passes: false, detail } => format!("check {name} fails: {detail}"),
        Happened::BrokenUnit { unit, detail } => {
            format!("{unit} is broken by this deploy: {detail}")
        }
        Happened::Note { text } => text.clone(),
    })
}

/// A phase as something that goes on.
pub fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Staged => "staged",
        Phase::Arming => "arming the way back",
        Phase::Activating => "activating",
        Phase::Checking => "checking",
        Phase::Waiting => "waiting for a new login to confirm",
        Phase::Committing => "committing",
        Phase::RollingBack => "rolling back",
        Phase::Ended => "ended",
    }
}

fn finished(finished: &Finished) -> Vec<String> {
    let name = &finished.machine;
    if let Some(failure) = &finished.failure {
        let notes = finished.notes.iter().map(|note| format!("  note:  {note}"));
        return failure.to_string().lines().map(str::to_owned).chain(notes).collect();
    }
    let generation =
        finished.generation.map(|number| format!(" generation {number}")).unwrap_or_default();
    let head = match finished.ending {
        Ending::UpToDate => {
            format!("{name}: already up to date:{generation} runs, boots and is confirmed")
        }
        Ending::Looked => format!("{name}: nothing was switched"),
        _ => match finished.mode {
            Mode::Switch => format!("{name}: committed{generation}: runs, boots and is confirmed"),
            Mode::Test => {
                format!("{name}: runs it, confirmed; boots still: {}", of(&finished.boots))
            }
            Mode::Boot => {
                format!("{name}: boots{generation} next; runs still: {}", of(&finished.runs))
            }
        },
    };
    std::iter::once(head)
        .chain(finished.notes.iter().map(|note| format!("{name}: note: {note}")))
        .collect()
}

fn of(known: &Option<String>) -> &str {
    known.as_deref().unwrap_or("not known")
}

/// A derivation's name without hash and ending.
pub fn drv_name(drv: &str) -> String {
    StorePath::parse(drv)
        .map_or_else(|_| drv.to_owned(), |path| path.name().trim_end_matches(".drv").to_owned())
}

/// Bytes for people, in units of 1024.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    #[allow(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_digit() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 30), "3.0 GiB");
    }
}
