//! Which checks of level `required-once-passed` decide over this attempt, and what the next
//! one will know of them.

use anyhow::Result;
use deploy_wire::{
    attempt::{AttemptId, Mode},
    machine::{Check, Level},
    record::Record,
};

use super::Watch;
use crate::checks::history::{self, Passed, PassedChecks};

impl Watch<'_> {
    /// The checks with the level that each has in this attempt. A file that cannot be read
    /// counts as empty: a check that is reported too long does less harm than a machine that
    /// can no longer be deployed to.
    pub(super) fn levelled(&self, checks: &[Check]) -> Vec<Check> {
        if checks.iter().all(|check| check.level != Level::RequiredOncePassed) {
            return checks.to_vec();
        }
        let passed = self.passed_before().unwrap_or_else(|error| {
            self.events.note(format!("checks that wait to pass are reported only: {error:#}"));
            Vec::new()
        });
        history::levelled(checks, &passed)
    }

    /// Keeps what passes now, which counts once this attempt is committed. A `test` never
    /// is, and `--boot` asks no checks.
    pub(super) fn keep_passed(&self, record: &Record) {
        let (Mode::Switch, Some(checks)) = (record.mode, &self.checks) else { return };
        let before = self.passed_before().unwrap_or_default();
        let passes_now = |check: &Check| checks.passes(&check.name);
        let declared = &record.rules.checks;
        let written = PassedChecks::open().write(self.attempt, before, declared, passes_now);
        if let Err(error) = written {
            self.events.note(format!("what passed cannot be stored: {error:#}"));
        }
    }

    fn passed_before(&self) -> Result<Vec<Passed>> {
        let confirmed = self.agent.ledger.confirmed()?;
        let attempt: Option<&AttemptId> = confirmed.as_ref().map(|confirmed| &confirmed.attempt);
        PassedChecks::open().read(attempt)
    }
}
