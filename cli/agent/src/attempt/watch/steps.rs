//! Running a step in its unit, and waiting for it.

use std::time::Duration;

use anyhow::Result;

use super::Watch;
use crate::{
    attempt::switch::{self, Ending, Progress, Step},
    clock,
};

/// The interval between two questions to PID 1 about a step. Each question costs a process.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// The result of waiting for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// The step ended.
    Ended(Ending),
    /// The step's unit disappeared without an exit status, so it was killed.
    Vanished,
    /// The step still runs after its limit.
    TooLong,
    /// Another process moved the attempt.
    Moved,
}

impl Waited {
    /// Describes the result for people.
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

    /// Whether the step ended with status 0.
    pub fn succeeded(self) -> bool {
        matches!(self, Self::Ended(Ending { status: Some(0), .. }))
    }
}

impl Watch<'_> {
    /// Starts a step unless an earlier process has started it. Waits for its end while `goes_on` is
    /// true.
    pub fn wait_for(
        &self,
        step: Step,
        limit: Duration,
        goes_on: impl Fn() -> Result<bool>,
    ) -> Result<Waited> {
        let agent = self.agent;
        if switch::progress(self.attempt, step)? == Progress::NotBegun {
            // A systemd that re-executes itself does not answer for a moment, and may have started
            // the unit nevertheless.
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
                    // Without an answer, wait on; the limit applies.
                    Err(error) => eprintln!("{error:#}"),
                }
            }
            self.changes.wait((end - now).min(ASKED_EVERY));
        }
    }
}
