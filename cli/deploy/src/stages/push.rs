//! The closure travels to the machine, and the agent beside it.

use std::time::{Duration, Instant};

use deploy_wire::store_path::StorePath;
use tokio::sync::Notify;

use super::{
    agent_program::Agent,
    ask::Probed,
    build::{Built, Where},
    left_behind, mark, stall,
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report, Stage},
    tools::{
        nix::{Nix, Substitute},
        nix_log::Progress,
        place::Place,
    },
};

/// A closure and an agent that are in the machine's store. Nothing roots them
/// yet: the agent does that first of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The NixOS system.
    pub toplevel: StorePath,
    /// The agent.
    pub agent: StorePath,
}

/// Sends what the machine lacks.
pub async fn push(
    nix: &Nix,
    probed: &Probed,
    built: &Built,
    agent: &Agent,
    report: &Report,
) -> Result<Pushed> {
    let machine = &probed.machine;
    let name = &machine.name;
    report.tell(Event::Stage { machine: name.clone(), stage: Stage::Push });
    let (agent, brought) = match agent {
        Agent::Installed(path) => (path.clone(), false),
        Agent::Brought(file) => {
            let added = nix.add_file("deploy-agent", file).await;
            let failed = "the agent cannot be put into the store here";
            (added.map_err(|error| Failure::unchanged(failed).because(error))?, true)
        }
    };
    let pushed = Pushed { toplevel: built.toplevel.clone(), agent };
    let toplevel = (built.place == Where::Here).then_some(&pushed.toplevel);
    let paths: Vec<&StorePath> =
        toplevel.into_iter().chain(brought.then_some(&pushed.agent)).collect();
    if paths.is_empty() || matches!(probed.place, Place::Here) {
        return Ok(pushed);
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
        if pace.lets(&progress) {
            report.tell(Event::Push { machine: name.clone(), progress });
        }
    };
    let moves = Notify::new();
    let copy = nix.copy(&paths, &store, substitute, || moves.notify_one(), tell);
    let copied = stall::told(copy, &moves, probed, &lease, report).await;
    let cleared = mark.clear(name).await;
    copied.map_err(|error| {
        let text = error.to_string();
        let hint = mark::hint(name, &text);
        Failure::unchanged(format!("the system cannot be pushed to {name}"))
            .because(text)
            .hint(hint)
    })?;
    lease.over();
    cleared?;
    Ok(pushed)
}

/// Nix tells of every few bytes; people and programs are told ten times a second.
#[derive(Default)]
struct Pace {
    last: Option<Instant>,
}

const PACE: Duration = Duration::from_millis(100);

impl Pace {
    fn lets(&mut self, progress: &Progress) -> bool {
        let whole = matches!(progress, Progress::Copied { bytes, expected } if bytes >= expected);
        let due = self.last.is_none_or(|last| last.elapsed() >= PACE);
        if due {
            self.last = Some(Instant::now());
        }
        due || whole
    }
}
