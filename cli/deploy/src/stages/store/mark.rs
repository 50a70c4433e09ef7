//! The mark on a machine during a push, kept over the login: `deploy_wire::mark` says why.

use deploy_wire::mark::{SCRIPT, Said};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::{
    error::{Failure, Result},
    report::Report,
    tools::{
        bounded,
        limit::within,
        nix::NixDiagnosis,
        place::{Place, Running},
        shell,
    },
};
use crate::{
    report::silence,
    stages::ask::{Probed, sessions},
};

/// How long a machine may take to read what may be damaged of its store, and to sync it.
const STORE: Duration = Duration::from_secs(1800);

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
    let Ok(script) =
        probed.root.wrap(&format!("sh -c {}", shell::quote(&shell::with_path(SCRIPT))))
    else {
        return Ok(Mark::none());
    };
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
    let damaged = |text| report.note(name, text);
    let marked = wait_for_word(&mut running.stdout, Said::Marked, damaged);
    if silence::announce(marked, name, "its store", STORE, report).await {
        return Ok(Mark(Some(running)));
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
    pub async fn clear(self, name: &str, report: &Report) -> Result<()> {
        let Some(Running { mut stdout, stdin, mut rest }) = self.0 else { return Ok(()) };
        drop(stdin);
        let synced = wait_for_word(&mut stdout, Said::Synced, drop);
        if silence::announce(synced, name, "its store", STORE, report).await {
            return Ok(());
        }
        let said = rest.stderr().await;
        Err(Failure::unchanged(format!("the store of {name} cannot be synced"))
            .because(said.trim()))
    }
}

/// Waits until the program on the machine says `word`; `false` where it ends, says too much or is
/// late.
async fn wait_for_word(
    stdout: &mut (impl AsyncBufRead + Unpin),
    word: Said,
    mut damaged: impl FnMut(String),
) -> bool {
    let mut lines = stdout.take(bounded::ANSWER as u64).lines();
    let found = async {
        while let Ok(Some(line)) = lines.next_line().await {
            match Said::read(&line) {
                Some(said) if said == word => return true,
                Some(Said::Damaged(text)) => damaged(text),
                Some(Said::Marked | Said::Synced) | None => {}
            }
        }
        false
    };
    within(STORE, found).await.unwrap_or(false)
}

/// The failure of something that puts paths into the store of a machine: `why`, out of what
/// was `said`.
pub fn not_stored(name: &str, what: String, why: &str, said: &str) -> Box<Failure> {
    if let Some(failure) = sessions::too_few(name, said) {
        return failure;
    }
    let full = NixDiagnosis::NoRoom.is_told_by(said);
    let room =
        || format!("make room in /nix of {name}: nix-collect-garbage --delete-older-than 30d");
    Failure::unchanged(what).because(why).hint(full.then(room))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{BufReader, repeat},
        time::{Instant, timeout},
    };

    use super::*;

    async fn of(stdout: &str) -> (bool, Vec<String>) {
        let mut damaged = Vec::new();
        let said =
            wait_for_word(&mut stdout.as_bytes(), Said::Marked, |text| damaged.push(text)).await;
        (said, damaged)
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_store_that_never_becomes_ready_is_given_up() {
        let (mut silent, _machine) = tokio::io::duplex(64);
        let mut silent = BufReader::new(&mut silent);
        let begun = Instant::now();
        let a_day = Duration::from_secs(24 * 3600);
        let answered = timeout(a_day, wait_for_word(&mut silent, Said::Synced, drop)).await;
        assert_eq!(answered, Ok(false), "silence was an answer, or was waited for");
        assert_eq!(begun.elapsed().as_secs(), 1800);
        assert!(
            !wait_for_word(&mut BufReader::new(repeat(b'x')), Said::Synced, drop).await,
            "a flood was"
        );
        assert_eq!(of("").await, (false, vec![]));
    }
}
