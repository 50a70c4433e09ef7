//! The `required-once-passed` checks that decide over this attempt, and the history for the next
//! one.

use anyhow::Result;
use deploy_wire::{
    attempt::{AttemptId, Mode},
    machine::{Check, Level},
    record::Record,
};

use super::Watch;
use crate::checks::history::{self, Passed, PassedChecks};

impl Watch<'_> {
    /// The checks with their level in this attempt. An unreadable history counts as empty: a check
    /// that is only reported does less harm than a machine that cannot be deployed to.
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

    /// Records the checks that pass now. They count once this attempt is committed. A `test` is
    /// never committed, and `--boot` runs no checks.
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
