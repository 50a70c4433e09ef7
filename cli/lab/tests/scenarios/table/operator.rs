//! A `deploy` that runs on the operator's computer, and its output.

use anyhow::{Context, Result, bail, ensure};
use deploy_lab::hosts::{Output, Running, wait};
use deploy_lab::tables::fault_table::Ending;
use serde_json::Value;
use std::time::Duration;

use super::hold::REACHED;

/// `deploy` must end on its own within this limit. If the machine is gone before it reported a
/// phase, `deploy` waits as long as all phases may take, including two minutes of a staged attempt.
const LONGEST: Duration = Duration::from_secs(300);

/// A running `deploy`.
pub struct Operator {
    running: Option<Running>,
}

/// The report of an ended `deploy`.
#[derive(Debug)]
pub struct Told {
    pub ending: Ending,
    pub code: i32,
    pub runs: Option<String>,
    pub boots: Option<String>,
    text: String,
}

impl Operator {
    pub fn new(running: Running) -> Self {
        Self { running: Some(running) }
    }

    /// Waits for a condition while `deploy` runs.
    pub fn until(&mut self, what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
        let running = self.running.as_mut().context("deploy was killed")?;
        wait::until(what, REACHED, || {
            let holds = condition()?;
            if !holds && !running.is_running()? {
                bail!("deploy ended:\n{}{}", running.stdout()?, running.stderr()?);
            }
            Ok(holds)
        })
        .with_context(|| running.stdout().unwrap_or_default())
    }

    /// Kills `deploy` and its ssh with SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.running.take().context("deploy was killed")?.kill()
    }

    /// Stops `deploy` and its ssh.
    pub fn freeze(&self) -> Result<()> {
        self.running.as_ref().context("deploy was killed")?.freeze()
    }

    /// Ends [`Operator::freeze`].
    pub fn thaw(&self) -> Result<()> {
        self.running.as_ref().context("deploy was killed")?.thaw()
    }

    /// Whether `deploy` ends in time; `None` if it was killed.
    pub fn ends(&mut self) -> Result<Option<bool>> {
        let Some(running) = &mut self.running else { return Ok(None) };
        Ok(Some(wait::until("deploy ends", LONGEST, || Ok(!running.is_running()?)).is_ok()))
    }

    /// The output so far.
    pub fn printed(&self) -> Result<String> {
        let running = self.running.as_ref().context("deploy was killed")?;
        Ok(format!("{}{}", running.stdout()?, running.stderr()?))
    }

    /// Waits for the end; `None` if `deploy` was killed.
    pub fn end(self) -> Result<Option<Output>> {
        let Some(running) = self.running else { return Ok(None) };
        running.wait(LONGEST).context("deploy did not end").map(Some)
    }
}

impl Told {
    /// Parses the output of `deploy --json`.
    pub fn of(output: &Output) -> Result<Self> {
        let text = format!("{}{}", output.stdout, output.stderr);
        let finished = output
            .stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|document| document["event"] == "finished")
            .with_context(|| format!("deploy told no end ({}):\n{text}", output.code))?;
        let word = |key: &str| finished[key].as_str().map(str::to_owned);
        let ending = match word("ending").as_deref() {
            Some("unchanged" | "upToDate") => Ending::Untouched,
            Some("committed") => Ending::Committed,
            Some("rolledBack") => Ending::RolledBack,
            Some("takenOver") => Ending::TakenOver,
            Some("stranded") => Ending::Stranded,
            Some("notKnown") => Ending::NotKnown,
            other => bail!("deploy ended {other:?}"),
        };
        let (runs, boots) = (word("runs"), word("boots"));
        Ok(Self { ending, code: output.code, runs, boots, text })
    }

    /// Checks the reported end and the matching exit code.
    pub fn tells(&self, ending: Ending) -> Result<()> {
        let code = match ending {
            Ending::Untouched => 1,
            Ending::Committed => 0,
            Ending::RolledBack => 3,
            Ending::TakenOver => 4,
            Ending::Stranded | Ending::NotKnown => 5,
        };
        ensure!(self.ending == ending, "deploy says {}, not {ending}:\n{}", self.ending, self.text);
        ensure!(self.code == code, "deploy ends with {}, not {code}:\n{}", self.code, self.text);
        Ok(())
    }
}
