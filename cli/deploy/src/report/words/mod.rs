//! Events as text. All that `deploy` says on its own is in this folder.

mod changes;
mod disks;
mod ended;
mod happened;
mod quantities;
mod secrets;
mod stalled;
mod timings;
mod vms;

use deploy_wire::store_path::StorePath;

use super::{
    Detail, Event, Stage,
    line::{Line, Tone},
};
use crate::tools::nix::log::Progress;

pub use changes::{older_secret_lines, secret_lines};
pub use disks::flash_word;
pub use happened::phase_word;
pub use quantities::bytes;

/// The lines of an event for people; none if it is only progress.
pub fn lines(event: &Event, detail: Detail) -> Vec<Line> {
    match event {
        Event::Evaluating { flake, building: Some(drv) } => {
            vec![Line::plain(format!("evaluating {flake}: building {}", drv_name(drv)))]
        }
        Event::Evaluating { .. }
        | Event::Push { .. }
        | Event::Flash { .. }
        | Event::Login { .. }
        | Event::Question(_) => Vec::new(),
        Event::Checking { flake } => vec![Line::plain(format!("running the checks of {flake}"))],
        Event::Evaluated { machines, kept, milliseconds } => {
            let how = if *kept { "kept evaluation" } else { "evaluated" };
            let took = quantities::seconds(*milliseconds);
            vec![Line::plain(format!("{how}: {} ({took})", machines.join(", ")))]
        }
        Event::Machines { machines } => {
            let line = |(name, hostname)| Line::plain(format!("  {name} at {hostname}"));
            machines.iter().map(|(name, hostname)| line((name, hostname))).collect()
        }
        Event::Stage { machine, stage } => {
            vec![Line::plain(format!("{machine}: {}", stage_word(*stage)))]
        }
        Event::Build { machine, progress } => match progress {
            Progress::Building(drv) => {
                vec![Line::plain(format!("{machine}: building {}", drv_name(drv)))]
            }
            Progress::Log(line) if detail == Detail::Everything => {
                vec![Line::plain(format!("{machine}: > {line}"))]
            }
            _ => Vec::new(),
        },
        Event::Plan { machine, lines } | Event::Status { machine, lines, .. } => {
            let lines = lines.iter().map(|line| format!("  {line}"));
            std::iter::once(format!("{machine}:")).chain(lines).map(Line::plain).collect()
        }
        Event::Log { line, .. } => vec![Line::plain(line)],
        Event::Stalled { machine, seconds, why } => {
            vec![Line::plain(format!("{machine}: {}", stalled::words(*seconds, why)))]
        }
        Event::Changes { machine, changes } => changes::lines(machine, changes),
        Event::Agent { machine, event } => {
            happened::line(machine, event, detail).into_iter().collect()
        }
        Event::Note { machine, text } => vec![Line::plain(format!("{machine}: {text}"))],
        Event::Warning { machine, text } => {
            let machine = machine.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
            let mut lines = text.lines();
            let first = format!("warning: {machine}{}", lines.next().unwrap_or_default());
            let more = lines.map(|line| Line::plain(format!("         {line}")));
            let first = Line::with(first, Tone::Warning, "warning:");
            std::iter::once(first).chain(more).collect()
        }
        Event::Finished(finished) => ended::finished(finished),
        Event::Timings { machine, timings } => timings::lines(machine, timings),
        Event::Failed(failure) | Event::NotEvaluated { failure, .. } => ended::failure(failure),
        Event::Secret(secret) => secrets::secret(secret),
        Event::Key(key) => secrets::key(key),
        Event::SecretsDone { secret, text } => secrets::done(secret.as_deref(), text),
        Event::Image { machine, path, bytes, sha256 } => {
            disks::image(machine, path, *bytes, sha256)
        }
        Event::Disk(disk) => disks::disk(disk),
        Event::Vm(vm) => vms::vm(vm),
        Event::Flashed { device, bytes } => disks::flashed(device, *bytes),
        Event::Ended { machines, code } => ended::summary(machines, *code),
    }
}

fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Ask => "logging in",
        Stage::Build => "building",
        Stage::Push => "pushing",
        Stage::Take => "staging the attempt",
    }
}

/// The name of a derivation, without hash and ending.
pub fn drv_name(drv: &str) -> String {
    StorePath::parse(drv)
        .map_or_else(|_| drv.to_owned(), |path| path.name().trim_end_matches(".drv").to_owned())
}
