//! One JSON document a line, for scripts. The fields are documented in
//! docs/commands.md; none is ever renamed.

use serde_json::{Value, json};

use super::{Event, Finished, Renderer};
use crate::{error::Failure, tools::nix_log::Progress};

/// Prints JSON lines.
pub struct Json;

impl Renderer for Json {
    fn show(&mut self, event: &Event) {
        println!("{}", document(event));
    }
}

fn document(event: &Event) -> Value {
    match event {
        Event::Evaluating { flake } => json!({ "event": "evaluating", "flake": flake }),
        Event::Checking { flake } => json!({ "event": "checking", "flake": flake }),
        Event::Evaluated { machines, kept, milliseconds } => json!({
            "event": "evaluated", "machines": machines, "kept": kept, "milliseconds": milliseconds,
        }),
        Event::Stage { machine, stage } => {
            json!({ "event": "stage", "machine": machine, "stage": stage })
        }
        Event::Build { machine, progress: p } => {
            json!({ "event": "build", "machine": machine, "progress": progress(p) })
        }
        Event::Push { machine, progress: p } => {
            json!({ "event": "push", "machine": machine, "progress": progress(p) })
        }
        Event::Changes { machine, lines } => {
            json!({ "event": "changes", "machine": machine, "lines": lines })
        }
        Event::Plan { machine, lines } => {
            json!({ "event": "plan", "machine": machine, "lines": lines })
        }
        Event::Status { machine, status, .. } => {
            json!({ "event": "status", "machine": machine, "status": status })
        }
        Event::Log { machine, line } => json!({ "event": "log", "machine": machine, "line": line }),
        Event::Login { machine, login } => {
            json!({ "event": "login", "machine": machine, "login": login })
        }
        Event::Agent { machine, event } => {
            json!({ "event": "agent", "machine": machine, "what": event })
        }
        Event::Note { machine, text } => {
            json!({ "event": "note", "machine": machine, "text": text })
        }
        Event::Warning { machine, text } => {
            json!({ "event": "warning", "machine": machine, "text": text })
        }
        Event::Finished(finished) => finished_document(finished),
        Event::Failed(failure) => {
            json!({ "event": "failed", "failure": failure_document(failure) })
        }
    }
}

fn progress(progress: &Progress) -> Value {
    match progress {
        Progress::Building(drv) => json!({ "building": drv }),
        Progress::Built { done, expected } => json!({ "built": done, "expected": expected }),
        Progress::Log(line) => json!({ "log": line }),
        Progress::Copied { bytes, expected } => json!({ "bytes": bytes, "expected": expected }),
    }
}

fn finished_document(finished: &Finished) -> Value {
    json!({
        "event": "finished",
        "machine": finished.machine,
        "ending": finished.ending,
        "attempt": finished.attempt,
        "mode": finished.mode,
        "runs": finished.runs,
        "boots": finished.boots,
        "generation": finished.generation,
        "notes": finished.notes,
        "failure": finished.failure.as_deref().map(failure_document),
    })
}

fn failure_document(failure: &Failure) -> Value {
    json!({
        "what": failure.what,
        "causes": failure.causes,
        "state": failure.state.to_string(),
        "hint": failure.hint,
    })
}
