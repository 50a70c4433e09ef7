//! Running a step in its unit and waiting for it.

use std::time::Duration;

use anyhow::Result;

use super::Watch;
use crate::{
    attempt::switch::{self, Ending, Progress, Step},
    clock,
};

/// How often PID 1 is asked after a step, which costs a process each time.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// How a step that was waited for ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// It ended.
    Ended(Ending),
    /// Its unit is gone without a word: it was killed.
    Vanished,
    /// It still runs, and the time is over.
    TooLong,
    /// The attempt was moved by somebody else.
    Moved,
}

impl Waited {
    /// In words.
    pub fn told(self) -> String {
        match self {
            Self::Ended(ending) => {
                format!("it ended with {}", crate::tools::process::told_status(ending.status))
            }
            Self::Vanished => "it was killed".into(),
            Self::TooLong => "it took too long".into(),
            Self::Moved => "it was given up".into(),
        }
    }

    /// Whether it ended with status 0.
    pub fn succeeded(self) -> bool {
        matches!(self, Self::Ended(Ending { status: Some(0), .. }))
    }
}

impl Watch<'_> {
    /// Starts a step unless it was started before this process came, and waits
    /// for its end while `goes_on` says so.
    pub fn wait_for(
        &self,
        step: Step,
        limit: Duration,
        goes_on: impl Fn() -> Result<bool>,
    ) -> Result<Waited> {
        let agent = self.agent;
        if switch::progress(self.attempt, step)? == Progress::NotBegun {
            // A systemd that re-executes itself does not answer for a moment,
            // and it may have started the unit all the same.
            if let Err(error) = switch::start(agent, self.attempt, step)
                && switch::progress(self.attempt, step)? == Progress::NotBegun
            {
                return Err(error);
            }
        }
        let end = clock::boottime() + limit;
        let mut asked = clock::boottime();
        loop {
            if let Some(ending) = switch::read_ending(self.attempt, step) {
                return Ok(Waited::Ended(ending));
            }
            if !goes_on()? {
                return Ok(Waited::Moved);
            }
            let now = clock::boottime();
            if now >= end {
                return Ok(Waited::TooLong);
            }
            if now.saturating_sub(asked) >= ASKED_EVERY {
                asked = now;
                match switch::progress(self.attempt, step) {
                    Ok(Progress::Ended(ending)) => return Ok(Waited::Ended(ending)),
                    Ok(Progress::Vanished | Progress::NotBegun) => return Ok(Waited::Vanished),
                    Ok(Progress::Runs) => {}
                    // No answer is no answer; the limit holds.
                    Err(error) => eprintln!("{error:#}"),
                }
            }
            self.changes.wait((end - now).min(ASKED_EVERY));
        }
    }
}
