//! The events of the agent as text.

use deploy_wire::{event::Event as Happened, phase::Phase};

use crate::report::{
    Detail,
    line::{Line, Tone},
};

/// The line for people, if the event has one.
pub fn line(machine: &str, event: &Happened, detail: Detail) -> Option<Line> {
    let bad = |text: String, word| Line::with(format!("{machine}: {text}"), Tone::Error, word);
    let text = match event {
        // The line about the machine's end includes this, with the state.
        Happened::Phase { phase: Phase::Ended, .. } => return None,
        Happened::Phase { phase, seconds_left, why } => {
            let limit = seconds_left.map(|left| format!(" (at most {left} s)")).unwrap_or_default();
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("{}{limit}{why}", phase_word(*phase))
        }
        Happened::Line { text } if detail == Detail::Everything => format!("> {text}"),
        Happened::Line { .. } | Happened::Unknown => return None,
        Happened::Switched { status: Some(0) } => "switched".into(),
        Happened::Switched { status: Some(status) } => {
            format!("the switch ended with status {status}")
        }
        Happened::Switched { status: None } => "the switch was killed".into(),
        Happened::Check { name, passes: true, detail } => format!("check {name} passes: {detail}"),
        Happened::Check { name, passes: false, detail } => {
            return Some(bad(format!("check {name} fails: {detail}"), "fails"));
        }
        Happened::BrokenUnit { unit, detail } => {
            return Some(bad(format!("{unit} is broken by this deploy: {detail}"), "broken"));
        }
        Happened::Note { text } => text.clone(),
    };
    Some(Line::plain(format!("{machine}: {text}")))
}

/// The name of a phase in progress.
pub fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Staged => "staged",
        Phase::Arming => "arming the rollback",
        Phase::Activating => "activating",
        Phase::Checking => "checking",
        Phase::Waiting => "waiting for a new login to confirm",
        Phase::Committing => "committing",
        Phase::RollingBack => "rolling back",
        Phase::Rebooting => "rebooting into the previous boot default",
        Phase::Ended => "ended",
    }
}
