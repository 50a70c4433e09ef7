//! The program that keeps the mark during a push.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
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
}

impl PushMark {
    /// Marks the machine. Paths that an earlier push left damaged are deleted first and reported to
    /// `tell`. The keeper's stderr goes to stderr.
    pub fn set(mut tell: impl FnMut(&str)) -> Result<Self> {
        let mut keeper = Command::new(process::find("sh", &[]))
            .args(["-c", SCRIPT])
            // sudo may have kept the user's PATH.
            .env("PATH", env::join_paths(PROGRAMS)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("sh cannot be started")?;
        let said = BufReader::new(keeper.stdout.take().context("stdout is a pipe")?);
        let mut mark = Self { keeper, said };
        while let Some(said) = mark.next()? {
            match said {
                Said::Damaged(text) => tell(&text),
                Said::Marked => return Ok(mark),
                Said::Synced => {}
            }
        }
        bail!("the store cannot be made ready for a push");
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
        bail!("the store cannot be synced");
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
