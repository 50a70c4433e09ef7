//! The mark on a machine during a push, kept over the login: `deploy_wire::mark` says why.

use deploy_wire::mark::{SCRIPT, Said};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use super::{ask::Probed, sessions};
use crate::{
    error::{Failure, Result},
    report::Report,
    tools::{
        place::{Place, Running},
        shell,
    },
};

/// A mark on a machine. A program there keeps it and takes it away, once the store is synced,
/// when this is dropped or this process dies: only a restart of the machine leaves it.
pub struct Mark<'place>(Option<Running<'place>>);

/// Marks the machine, after deleting what an earlier push left damaged.
pub async fn set<'p>(probed: &'p Probed, report: &Report) -> Result<Mark<'p>> {
    // On this computer a deploy pushes nothing.
    if matches!(probed.place, Place::Here) {
        return Ok(Mark::none());
    }
    // Without root the agent that carries Nix's protocol keeps it.
    let Ok(script) = probed.root.wrap(&shell::sh(SCRIPT)) else { return Ok(Mark::none()) };
    let name = &probed.machine.name;
    let failed = |why: &str, said: &str| {
        let what = format!("the store of {name} cannot be made ready for a push");
        not_stored(name, what, why, said)
    };
    let mut running = probed
        .place
        .spawn(&script)
        .await
        .map_err(|error| failed(&error.to_string(), &error.said))?;
    // Who does not read it has ended, and stderr tells why.
    let _ = running.stdin.write_all(probed.root.stdin_prefix().as_bytes()).await;
    let _ = running.stdin.flush().await;
    let mut lines = (&mut running.stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match Said::read(&line) {
            Some(Said::Damaged(text)) => report.note(name, text),
            Some(Said::Marked) => return Ok(Mark(Some(running))),
            Some(Said::Synced) | None => {}
        }
    }
    let said = running.rest.stderr().await;
    Err(failed(said.trim(), &said))
}

impl Mark<'_> {
    /// None: nothing was pushed.
    pub fn none() -> Self {
        Self(None)
    }

    /// Takes it away: what was pushed is on the machine's disk.
    pub async fn clear(self, name: &str) -> Result<()> {
        let Some(Running { stdout, stdin, mut rest }) = self.0 else { return Ok(()) };
        drop(stdin);
        let mut lines = stdout.lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if Said::read(&line) == Some(Said::Synced) {
                return Ok(());
            }
        }
        let said = rest.stderr().await;
        Err(Failure::unchanged(format!("the store of {name} cannot be synced"))
            .because(said.trim()))
    }
}

/// The failure of something that puts paths into the store of a machine: `why`, out of what
/// was `said`.
pub fn not_stored(name: &str, what: String, why: &str, said: &str) -> Box<Failure> {
    if let Some(failure) = sessions::too_few(name, said) {
        return failure;
    }
    let full = said.contains("No space left") || said.contains("disk is full");
    let room =
        || format!("make room in /nix of {name}: nix-collect-garbage --delete-older-than 30d");
    Failure::unchanged(what).because(why).hint(full.then(room))
}
