//! Pushes the closure and the agent to the machine. Nothing is activated here, and no profile set.

pub mod agent_program;
pub mod stall;
mod through_agent;

use std::time::{Duration, Instant};

use deploy_wire::{machine::Compress, store_path::StorePath};
use tokio::{sync::Notify, time::timeout};

use self::{
    agent_program::Agent,
    through_agent::{Carrier, Paths},
};
use super::{
    ask::Probed,
    build::{Built, Where},
    store::{
        left_behind,
        mark::{self, Mark},
    },
};
use crate::{
    error::{Failure, Result},
    report::{Carried, Event, Report, Stage},
    tools::{
        lease::Lease,
        nix::{Nix, NixError, RemoteStore, Substitute, log::Progress},
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
    let mut paths: Vec<&StorePath> = toplevel.into_iter().chain(profiles).collect();
    let brought = match agent {
        Agent::Brought(path) => Some(path),
        Agent::Installed(_) => None,
    };
    if paths.is_empty() && brought.is_none() || matches!(probed.place, Place::Here) {
        return Ok(Mark::none());
    }
    let carrier = match brought {
        Some(_) if !paths.is_empty() => carrier(probed).await?,
        _ => None,
    };
    let lease = left_behind::begin(probed, report).await?;
    let pushing = Pushing { nix, probed, lease: &lease, from: None, report };
    let mark = match (carrier, brought) {
        (Some(carrier), Some(agent)) => {
            // The agent goes first, over Nix's own ssh: it carries the rest.
            if probed.facts.agent.as_ref() != Some(agent) {
                pushing.over_ssh(&[agent]).await?.clear(name, report).await?;
            }
            pushing.through_agent(carrier, agent, &paths).await?
        }
        (_, brought) => {
            paths.extend(brought);
            pushing.over_ssh(&paths).await?
        }
    };
    lease.finish();
    Ok(mark)
}

/// Copies what a builder built to the machine, through this computer, where nothing of it is stored.
/// `None` if the agent cannot carry it; then it has to be fetched first.
pub async fn from_builder(
    nix: &Nix,
    probed: &Probed,
    built: &Built,
    agent: &Agent,
    report: &Report,
) -> Result<Option<()>> {
    let (Where::OnBuilder(host), Agent::Brought(agent)) = (&built.place, agent) else {
        return Ok(None);
    };
    let Some(carrier) = carrier(probed).await? else { return Ok(None) };
    let name = &probed.machine.name;
    report.tell(Event::Stage { machine: name.clone(), stage: Stage::Push });
    let lease = left_behind::begin(probed, report).await?;
    let here = Pushing { nix, probed, lease: &lease, from: None, report };
    if probed.facts.agent.as_ref() != Some(agent) {
        here.over_ssh(&[agent]).await?.clear(name, report).await?;
    }
    let builder = RemoteStore::of_builder(host);
    let there = Pushing { from: Some(&builder), ..here };
    let mark = there.through_agent(carrier, agent, &built.outs(&probed.machine)).await?;
    lease.finish();
    mark.clear(name, report).await?;
    Ok(Some(()))
}

/// The other end of a compressed push; `None` for a push that is not compressed, or that the user's
/// ssh compresses already.
async fn carrier(probed: &Probed) -> Result<Option<Carrier>> {
    let compress = probed.machine.push.compress;
    if let (Compress::Auto, Some(login)) = (compress, probed.place.login())
        && login.is_compressed().await
    {
        return Ok(None);
    }
    make_carrier(compress, Paths::Delta)
}

fn make_carrier(compress: Compress, paths: Paths) -> Result<Option<Carrier>> {
    Carrier::new(compress, paths)
        .map_err(|error| Failure::unchanged("the push cannot be prepared").because(error))
}

/// A push to one machine.
struct Pushing<'r, 'p> {
    nix: &'r Nix,
    probed: &'p Probed,
    lease: &'r Lease,
    /// The store that it is copied from, instead of the local one.
    from: Option<&'r RemoteStore>,
    report: &'r Report,
}

impl<'p> Pushing<'_, 'p> {
    /// Copies over Nix's own `ssh`, to the machine's `nix-daemon`.
    async fn over_ssh(&self, paths: &[&StorePath]) -> Result<Mark<'p>> {
        let store = self.probed.store(self.lease)?;
        let mark = mark::set(self.probed, self.report).await?;
        let copied = self.copy(paths, &store, || None).await;
        if let Err(error) = copied {
            // The failure of the push matters more than that of the sync.
            let _ = mark.clear(&self.probed.machine.name, self.report).await;
            return Err(self.failed(&error.to_string()));
        }
        Ok(mark)
    }

    /// Copies to the agent, without what the machine has. Where that is not what it was to be,
    /// everything is copied.
    async fn through_agent(
        &self,
        carrier: Carrier,
        agent: &StorePath,
        paths: &[&StorePath],
    ) -> Result<Mark<'p>> {
        let pushed = self.carried(&carrier, agent, paths).await;
        let distrusted = match &pushed {
            Ok(_) => None,
            Err(failure) => carrier.damaged().or_else(|| {
                // The daemon compared a path with its hash.
                let differs = || failure.causes.iter().any(|cause| cause.contains(HASH_DIFFERS));
                (carrier.so_far().reused > 0 && differs())
                    .then(|| "a path became another".to_owned())
            }),
        };
        let Some(why) = distrusted else { return pushed };
        let machine = &self.probed.machine;
        let note = format!("the push begins again with whole paths: {why}");
        self.report.note(&machine.name, note);
        drop(carrier);
        match make_carrier(machine.push.compress, Paths::Whole)? {
            Some(carrier) => self.carried(&carrier, agent, paths).await,
            None => pushed,
        }
    }

    /// Copies to the agent, which keeps the mark and hands everything to the machine's
    /// `nix-daemon`.
    async fn carried(
        &self,
        carrier: &Carrier,
        agent: &StorePath,
        paths: &[&StorePath],
    ) -> Result<Mark<'p>> {
        let store = carrier.store();
        let so_far = || Some(carrier.so_far());
        let copied = self.copy(paths, &store, so_far);
        let carried = carrier.carry(self.probed, agent.as_str(), self.lease);
        tokio::pin!(copied, carried);
        let (copied, carried) = tokio::select! {
            // Nix is gone, so its end of the socket is closed, or will never be opened.
            copied = &mut copied => match copied {
                Ok(_) => (copied, Some(carried.await)),
                Err(_) => (copied, timeout(LAST_WORDS, carried).await.ok()),
            },
            carried = &mut carried => match carried {
                Ok(_) => (copied.await, Some(carried)),
                Err(error) => return Err(self.agent_ended(&error)),
            },
        };
        let (whole, mark) = match (copied, carried) {
            (_, Some(Err(error))) => return Err(self.agent_ended(&error)),
            (Ok(whole), Some(Ok(mark))) => (whole, mark),
            (Ok(_), None) => return Err(self.agent_ended("")),
            (Err(error), carried) => {
                if let Some(Ok(mark)) = carried {
                    // The failure of the push matters more than that of the sync.
                    let _ = mark.clear(&self.probed.machine.name, self.report).await;
                }
                return Err(self.failed(&error.to_string()));
            }
        };
        // Nix is done before its last bytes are on the wire.
        if let Some(progress) = whole {
            let machine = self.probed.machine.name.clone();
            self.report.tell(Event::Push { machine, progress, carried: so_far() });
        }
        Ok(mark)
    }

    /// Copies with Nix; gives the last progress.
    async fn copy(
        &self,
        paths: &[&StorePath],
        store: &RemoteStore,
        so_far: impl Fn() -> Option<Carried>,
    ) -> std::result::Result<Option<Progress>, NixError> {
        let Self { nix, probed, lease, from, report } = self;
        let machine = &probed.machine;
        let substitute =
            if machine.push.substitute { Substitute::First } else { Substitute::Never };
        let mut pace = Pace::default();
        let mut last = None;
        let tell = |progress| {
            if let Progress::Log(text) = progress {
                return report.note(&machine.name, text);
            }
            if matches!(progress, Progress::Copied { .. }) {
                last = Some(progress.clone());
            }
            if pace.is_due(&progress) {
                let (machine, carried) = (machine.name.clone(), so_far());
                report.tell(Event::Push { machine, progress, carried });
            }
        };
        let moves = Notify::new();
        let copy = nix.copy(paths, *from, store, substitute, || moves.notify_one(), tell);
        stall::watch_for_stalls(copy, &moves, probed, lease, report).await?;
        Ok(last)
    }

    fn failed(&self, why: &str) -> Box<Failure> {
        self.failed_because(why, why)
    }

    /// Nix only sees that its connection ended. `said` is what the agent, or sshd, said of it.
    fn agent_ended(&self, said: &str) -> Box<Failure> {
        self.failed_because("the agent that carries the push ended", said).because(said)
    }

    fn failed_because(&self, why: &str, said: &str) -> Box<Failure> {
        let name = &self.probed.machine.name;
        mark::not_stored(name, format!("cannot push the system to {name}"), why, said)
    }
}

/// What `nix-daemon` says of a path that became another.
const HASH_DIFFERS: &str = "hash mismatch importing path";

/// How long an agent's last words are waited for, where Nix failed.
const LAST_WORDS: Duration = Duration::from_secs(5);

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
