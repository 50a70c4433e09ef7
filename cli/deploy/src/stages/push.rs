//! Pushes the closure and the agent to the machine. Nothing is activated here, and no profile set.

pub mod agent_program;
pub mod stall;

use std::time::{Duration, Instant};

use deploy_wire::store_path::StorePath;
use tokio::sync::Notify;

use self::agent_program::Agent;
use super::{
    ask::Probed,
    build::{Built, Where},
    store::{
        left_behind,
        mark::{self, Mark},
    },
};
use crate::{
    error::Result,
    report::{Event, Report, Stage},
    tools::{
        nix::{Nix, Substitute, log::Progress},
        place::Place,
    },
};

/// Pushes what the machine lacks. Nothing roots it yet; that is the agent's first step. The caller
/// clears the mark, which can take long and may run beside the next step.
pub async fn push<'p>(
    nix: &Nix,
    probed: &'p Probed,
    built: &Built,
    agent: &Agent,
    report: &Report,
) -> Result<Mark<'p>> {
    let machine = &probed.machine;
    let name = &machine.name;
    report.tell(Event::Stage { machine: name.clone(), stage: Stage::Push });
    let is_here = built.place == Where::Here;
    let toplevel = (is_here && machine.toplevel.is_some()).then_some(&built.toplevel);
    let profiles = built.profiles.iter().filter(|_| is_here);
    let brought = match agent {
        Agent::Brought(path) => Some(path),
        Agent::Installed(_) => None,
    };
    let paths: Vec<&StorePath> = toplevel.into_iter().chain(profiles).chain(brought).collect();
    if paths.is_empty() || matches!(probed.place, Place::Here) {
        return Ok(Mark::none());
    }
    let lease = left_behind::begin(probed, report).await?;
    let store = probed.store(&lease)?;
    let substitute = if machine.push.substitute { Substitute::First } else { Substitute::Never };
    let mark = mark::set(probed, report).await?;
    let mut pace = Pace::default();
    let tell = |progress| {
        if let Progress::Log(text) = progress {
            return report.note(name, text);
        }
        if pace.is_due(&progress) {
            report.tell(Event::Push { machine: name.clone(), progress });
        }
    };
    let moves = Notify::new();
    let copy = nix.copy(&paths, &store, substitute, || moves.notify_one(), tell);
    let copied = stall::watch_for_stalls(copy, &moves, probed, &lease, report).await;
    if let Err(error) = copied {
        // The failure of the push matters more than that of the sync.
        let _ = mark.clear(name, report).await;
        let why = error.to_string();
        let what = format!("cannot push the system to {name}");
        return Err(mark::not_stored(name, what, &why, &why));
    }
    lease.finish();
    Ok(mark)
}

/// Limits progress to ten reports a second. Nix reports every few bytes.
#[derive(Default)]
struct Pace {
    last: Option<Instant>,
}

const PACE: Duration = Duration::from_millis(100);

impl Pace {
    fn is_due(&mut self, progress: &Progress) -> bool {
        let whole = matches!(progress, Progress::Copied { bytes, expected } if bytes >= expected);
        let due = self.last.is_none_or(|last| last.elapsed() >= PACE);
        if due {
            self.last = Some(Instant::now());
        }
        due || whole
    }
}
