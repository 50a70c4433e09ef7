//! The program that keeps the mark during a push.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result, bail};
use deploy_wire::mark::{SCRIPT, Said};

use super::process;
use crate::storage::paths::PROGRAMS;

/// A mark on this machine. When this is dropped or the process dies, the keeper syncs the store and
/// removes the mark.
pub struct PushMark {
    keeper: Child,
    said: BufReader<ChildStdout>,
    last_words: Option<JoinHandle<String>>,
}

impl PushMark {
    /// Marks the machine. Paths that an earlier push left damaged are deleted first and reported to
    /// `tell`. The keeper's stderr goes to stderr, and the error has its last line.
    pub fn set(mut tell: impl FnMut(&str)) -> Result<Self> {
        let mut keeper = Command::new(process::find("sh", &[]))
            .args(["-c", SCRIPT])
            // sudo may have kept the user's PATH.
            .env("PATH", env::join_paths(PROGRAMS)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("sh cannot be started")?;
        let said = BufReader::new(keeper.stdout.take().context("stdout is a pipe")?);
        let stderr = keeper.stderr.take().context("stderr is a pipe")?;
        let last_words = Some(thread::spawn(move || passed_on(stderr)));
        let mut mark = Self { keeper, said, last_words };
        while let Some(said) = mark.next()? {
            match said {
                Said::Damaged(text) => tell(&text),
                Said::Marked => return Ok(mark),
                Said::Synced => {}
            }
        }
        bail!("the store cannot be made ready for a push{}", mark.why());
    }

    /// Syncs the store and removes the mark.
    pub fn clear(mut self) -> Result<()> {
        drop(self.keeper.stdin.take());
        while let Some(said) = self.next()? {
            if said == Said::Synced {
                self.keeper.wait()?;
                return Ok(());
            }
        }
        bail!("the store cannot be synced{}", self.why());
    }

    /// What the keeper, which has ended, said last.
    fn why(&mut self) -> String {
        let last = self.last_words.take().and_then(|thread| thread.join().ok());
        last.filter(|last| !last.is_empty()).map_or_else(String::new, |last| format!(": {last}"))
    }

    fn next(&mut self) -> Result<Option<Said>> {
        let mut line = String::new();
        while self.said.read_line(&mut line)? > 0 {
            if let Some(said) = Said::read(line.trim_end()) {
                return Ok(Some(said));
            }
            line.clear();
        }
        Ok(None)
    }
}

/// Prints each line, and gives the last one.
fn passed_on(stderr: ChildStderr) -> String {
    let mut last = String::new();
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        eprintln!("{line}");
        last = line;
    }
    last
}
