//! One push to one machine: with Nix, over its own `ssh` or through the agent.

use std::time::{Duration, Instant};

use deploy_wire::store_path::StorePath;
use tokio::{sync::Notify, time::timeout};

use super::{
    make_carrier, stall,
    through_agent::{Carrier, Paths},
};
use crate::{
    error::{Failure, Result},
    report::{Carried, Event, Report},
    stages::{
        ask::Probed,
        store::mark::{self, Mark},
    },
    tools::{
        lease::Lease,
        nix::{Nix, NixError, RemoteStore, Substitute, log::Progress},
    },
};

/// A push to one machine.
pub struct Pushing<'r, 'p> {
    pub nix: &'r Nix,
    pub probed: &'p Probed,
    pub lease: &'r Lease,
    /// The store that it is copied from, instead of the local one.
    pub from: Option<&'r RemoteStore>,
    pub report: &'r Report,
}

impl<'p> Pushing<'_, 'p> {
    /// Copies over Nix's own `ssh`, to the machine's `nix-daemon`.
    pub async fn over_ssh(&self, paths: &[&StorePath]) -> Result<Mark<'p>> {
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
    pub async fn through_agent(
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
pub(super) struct Pace {
    last: Option<Instant>,
}

const PACE: Duration = Duration::from_millis(100);

impl Pace {
    pub(super) fn is_due(&mut self, progress: &Progress) -> bool {
        let whole = matches!(progress, Progress::Copied { bytes, expected } if bytes >= expected);
        let due = self.last.is_none_or(|last| last.elapsed() >= PACE);
        if due {
            self.last = Some(Instant::now());
        }
        due || whole
    }
}
