//! The mark on a machine during a push, kept over the login. `deploy_wire::mark` explains it.

use deploy_wire::mark::{SCRIPT, Said, is_note};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::{
    error::{Failure, Result},
    report::Report,
    tools::{
        bounded,
        limit::within,
        nix::NixDiagnosis,
        place::{Place, Rest, Running},
        shell,
        ssh::SshError,
    },
};
use crate::{
    report::silence,
    stages::ask::{Probed, sessions},
};

/// How long a machine may take to check its store for damage and to sync it.
const STORE: Duration = Duration::from_secs(1800);

/// A mark on a machine. A program on the machine keeps it, and clears it after syncing the store
/// when this value is dropped or this process dies. Only a restart of the machine leaves the mark.
pub struct Mark<'place>(Keeper<'place>);

/// The keeper of the mark on the machine.
enum Keeper<'place> {
    /// Nothing was pushed.
    Nobody,
    /// The program that keeps marks.
    Script(Running<'place>),
    /// The agent that carried Nix's protocol. It ends once the store is synced.
    Agent(Box<dyn AsyncBufRead + Unpin + Send + 'place>, Rest<'place>),
}

/// Marks the machine, after deleting paths that an earlier push left damaged.
pub async fn set<'p>(probed: &'p Probed, report: &Report) -> Result<Mark<'p>> {
    // With `--local` nothing is pushed.
    if matches!(probed.place, Place::Here) {
        return Ok(Mark::none());
    }
    // Without other root commands, the agent that carries Nix's protocol keeps the mark.
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
    // A program that does not read this has ended, and its stderr says why.
    let _ = running.stdin.write_all(probed.root.stdin_prefix().as_bytes()).await;
    let _ = running.stdin.flush().await;
    let damaged = |text| report.note(name, text);
    let marked = wait_for_word(&mut running.stdout, Said::Marked, damaged);
    if silence::announce(marked, name, "its store", STORE, report).await {
        return Ok(Mark(Keeper::Script(running)));
    }
    let said = running.rest.stderr().await;
    Err(failed(said.trim(), &said))
}

impl<'place> Mark<'place> {
    /// No mark, because nothing was pushed.
    pub fn none() -> Self {
        Self(Keeper::Nobody)
    }

    /// The mark that an agent keeps. `stdout` and `rest` are what is left of the command.
    pub fn kept_by_the_agent(
        stdout: Box<dyn AsyncBufRead + Unpin + Send + 'place>,
        rest: Rest<'place>,
    ) -> Self {
        Self(Keeper::Agent(stdout, rest))
    }

    /// Clears the mark. What was pushed is then on the machine's disk.
    pub async fn clear(self, name: &str, report: &Report) -> Result<()> {
        let Running { mut stdout, stdin, mut rest } = match self.0 {
            Keeper::Nobody => return Ok(()),
            Keeper::Script(running) => running,
            Keeper::Agent(stdout, rest) => {
                return clear_by_the_agent(stdout, rest, name, report).await;
            }
        };
        drop(stdin);
        let synced = wait_for_word(&mut stdout, Said::Synced, drop);
        if silence::announce(synced, name, "its store", STORE, report).await {
            return Ok(());
        }
        let said = rest.stderr().await;
        Err(not_synced(name, said.trim()))
    }
}

/// Waits for the agent to sync the store, and to end.
async fn clear_by_the_agent(
    mut stdout: Box<dyn AsyncBufRead + Unpin + Send + '_>,
    rest: Rest<'_>,
    name: &str,
    report: &Report,
) -> Result<()> {
    // The daemon's last answers have no reader any more.
    let ended = async {
        within(STORE, tokio::io::copy_buf(&mut stdout, &mut tokio::io::sink())).await??;
        rest.ended().await
    };
    let said = silence::announce(ended, name, "its store", STORE, report)
        .await
        .map_err(|error: SshError| not_synced(name, error.to_string()))?;
    said.lines().filter(|line| is_note(line)).for_each(|line| report.note(name, line));
    Ok(())
}

fn not_synced(name: &str, why: impl std::fmt::Display) -> Box<Failure> {
    Failure::unchanged(format!("the store of {name} cannot be synced")).because(why)
}

/// Waits until the program on the machine prints `word`. `false` if it ends, prints too much or is
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

/// The failure of a push or a remote build. `why` is the reason within the output `said`.
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
