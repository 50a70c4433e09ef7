//! The report as one JSON document a line, for scripts. docs/json.md describes each document.

use std::{collections::BTreeMap, time::Duration};

use deploy_wire::outcome::BootDefault;
use serde_json::{Value, json};

use super::{
    Event, Finished, Renderer, Standstill,
    out::{Out, Text},
    timings::{MachineTimings, Span},
};
use crate::{
    error::{Failure, State},
    tools::{nix::log::Progress, printable::Printable},
};

/// Prints JSON lines.
pub struct Json {
    out: Out,
    /// The number of built derivations that was last printed for each machine.
    built: BTreeMap<String, u64>,
}

impl Json {
    /// Prints JSON to `out`.
    pub fn new(out: Out) -> Self {
        Self { out, built: BTreeMap::new() }
    }

    /// Whether an event has news. Nix repeats its counts for every derivation that it finds, a
    /// hundred times before the build begins; only the number of built derivations matters.
    fn is_news(&mut self, event: &Event) -> bool {
        match event {
            Event::Stage { machine, .. } => drop(self.built.remove(machine)),
            Event::Build { machine, progress: Progress::Built { done, .. } } => {
                let before = self.built.insert(machine.clone(), *done).unwrap_or_default();
                return *done != before;
            }
            _ => {}
        }
        true
    }
}

impl Renderer for Json {
    fn show(&mut self, event: &Event) {
        if self.is_news(event) {
            self.out.write(&Text::line(&Printable::document(&document(event))));
        }
    }
}

/// The JSON document of an event.
pub fn document(event: &Event) -> Value {
    match event {
        Event::Evaluating { flake, building } => {
            json!({ "event": "evaluating", "flake": flake, "building": building })
        }
        Event::Checking { flake } => json!({ "event": "checking", "flake": flake }),
        Event::Evaluated { machines, kept, milliseconds } => json!({
            "event": "evaluated", "machines": machines, "kept": kept, "milliseconds": milliseconds,
        }),
        Event::Machines { machines } => {
            let machine = |(name, hostname)| json!({ "machine": name, "hostname": hostname });
            let machines: Vec<Value> = machines.iter().map(|(n, h)| machine((n, h))).collect();
            json!({ "event": "machines", "machines": machines })
        }
        Event::Stage { machine, stage } => {
            json!({ "event": "stage", "machine": machine, "stage": stage })
        }
        Event::Build { machine, progress: p } => {
            json!({ "event": "build", "machine": machine, "progress": progress(p) })
        }
        Event::Push { machine, progress: p, carried } => json!({
            "event": "push", "machine": machine, "progress": progress(p),
            "onTheWire": carried.map(|carried| carried.on_the_wire),
            "reused": carried.map(|carried| carried.reused),
        }),
        Event::Stalled { machine, seconds, why } => {
            let (why, holder) = match why {
                Standstill::Lock(holder) => ("lock", Some(holder)),
                Standstill::NotKnown => ("notKnown", None),
                Standstill::NotAllowed => ("notAllowed", None),
                Standstill::NoAnswer => ("noAnswer", None),
            };
            json!({
                "event": "stalled", "machine": machine, "seconds": seconds,
                "why": why, "holder": holder,
            })
        }
        Event::Changes { machine, changes } => {
            json!({ "event": "changes", "machine": machine, "changes": changes })
        }
        Event::Plan { machine, lines } => {
            json!({ "event": "plan", "machine": machine, "lines": lines })
        }
        Event::Status { machine, status, secrets, .. } => json!({
            "event": "status", "machine": machine, "status": status, "secrets": secrets,
        }),
        Event::Log { machine, line } => json!({ "event": "log", "machine": machine, "line": line }),
        Event::Login { machine, login } => {
            json!({ "event": "login", "machine": machine, "login": login })
        }
        Event::Question(moment) => json!({ "event": "question", "question": moment }),
        Event::Timings { machine, timings } => timings_document(machine, timings),
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
            json!({ "event": "failed", "machine": null, "failure": failure_document(failure) })
        }
        Event::NotEvaluated { machine, failure } => json!({
            "event": "failed", "machine": machine, "failure": failure_document(failure),
        }),
        Event::Secret(secret) => tagged("secret", json!(secret)),
        Event::Key(key) => tagged("key", json!(key)),
        Event::SecretsDone { secret, text } => {
            json!({ "event": "secretsDone", "secret": secret, "text": text })
        }
        Event::Image { machine, path, bytes, sha256 } => json!({
            "event": "image", "machine": machine, "path": path, "bytes": bytes, "sha256": sha256,
        }),
        Event::Disk(disk) => tagged("disk", json!(disk)),
        Event::Vm(vm) => tagged("vm", json!(vm)),
        Event::Flash { device, step, bytes, expected } => json!({
            "event": "flash", "device": device, "step": step, "bytes": bytes, "expected": expected,
        }),
        Event::Flashed { device, bytes } => {
            json!({ "event": "flashed", "device": device, "bytes": bytes })
        }
        Event::Ended { machines, code } => {
            let machine = |(name, ending)| json!({ "machine": name, "ending": ending });
            let machines: Vec<Value> = machines.iter().map(|(n, e)| machine((n, e))).collect();
            json!({ "event": "ended", "machines": machines, "exitCode": code })
        }
    }
}

fn tagged(event: &str, mut document: Value) -> Value {
    document["event"] = event.into();
    document
}

fn progress(progress: &Progress) -> Value {
    match progress {
        Progress::Building(drv) => json!({ "building": drv }),
        Progress::Built { done, expected } => json!({ "built": done, "expected": expected }),
        Progress::Log(line) => json!({ "log": line }),
        Progress::Copied { bytes, expected } => json!({ "bytes": bytes, "expected": expected }),
    }
}

fn timings_document(machine: &str, timings: &MachineTimings) -> Value {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let part = |span: &Span| {
        json!({
            "part": span.part,
            "from": milliseconds(span.from),
            "milliseconds": milliseconds(span.took),
        })
    };
    let parts: Vec<Value> = timings.spans.iter().map(part).collect();
    json!({
        "event": "timings", "machine": machine, "parts": parts,
        "milliseconds": milliseconds(timings.until),
    })
}

fn finished_document(finished: &Finished) -> Value {
    let (boots, why) = match &finished.boots {
        Some(BootDefault::Known(path)) => (Some(path), None),
        Some(BootDefault::Unknown(why)) => (None, Some(why.as_str())),
        None => (None, Some("the machine was not asked")),
    };
    json!({
        "event": "finished",
        "machine": finished.machine,
        "ending": finished.ending,
        "attempt": finished.attempt,
        "mode": finished.mode,
        "confirmed": finished.confirmed,
        "runs": finished.runs,
        "boots": boots,
        "bootsNotKnown": why,
        "generation": finished.generation,
        "profiles": finished.profiles,
        "profilesAlone": finished.profiles_alone,
        "notes": finished.notes,
        "failure": finished.failure.as_deref().map(failure_document),
    })
}

fn failure_document(failure: &Failure) -> Value {
    json!({
        "what": failure.what,
        "causes": failure.causes,
        "state": failure.state.to_string(),
        "stateIs": state_word(&failure.state),
        "hint": failure.hint,
    })
}

fn state_word(state: &State) -> &'static str {
    match state {
        State::Unchanged => "unchanged",
        State::Changed(_) => "known",
        State::NotKnown(_) => "notKnown",
    }
}

#[cfg(test)]
mod tests;
