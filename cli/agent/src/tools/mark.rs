//! The program that keeps a mark while something is pushed.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use deploy_wire::mark::{SCRIPT, Said};

use super::process;
use crate::storage::paths::PROGRAMS;

/// A mark on this machine. Its keeper takes it away, once the store is synced, when this is
/// dropped or this process dies.
pub struct PushMark {
    keeper: Child,
    said: BufReader<ChildStdout>,
}

impl PushMark {
    /// Marks the machine, after deleting what an earlier push left damaged: that is given to
    /// `tell`. What the keeper complains goes to stderr.
    pub fn set(mut tell: impl FnMut(&str)) -> Result<Self> {
        let mut keeper = Command::new(process::find("sh", &[]))
            .args(["-c", SCRIPT])
            // sudo may have left the user's.
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

    /// Takes it away: what was pushed is on the disk.
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
