//! The history of `required-once-passed` checks, which determines whether they decide.
//!
//! The results of an attempt are written before its commit, and count once that attempt is the last
//! confirmed one. Written after the commit, a power cut in between would lose them. If they counted
//! at once, an attempt that rolls back would make its checks decide:
//! `what_passed_in_an_attempt_that_went_back_does_not_count`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use deploy_wire::{
    attempt::AttemptId,
    machine::{Check, CheckKind, Level},
    sealed,
};
use serde::{Deserialize, Serialize};

use crate::storage::{files, paths::STATE};

/// A check that has passed, with its kind. A check with the same name that asks for another issuer
/// has not passed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    name: String,
    kind: CheckKind,
}

/// The contents of the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    /// The checks that had passed before `attempt`.
    before: Vec<Passed>,
    /// The attempt that wrote the file.
    attempt: AttemptId,
    /// The checks that have passed once `attempt` is committed.
    after: Vec<Passed>,
}

#[derive(Debug)]
pub struct PassedChecks {
    path: PathBuf,
}

impl PassedChecks {
    /// The machine's own history.
    pub fn open() -> Self {
        Self::in_folder(Path::new(STATE))
    }

    fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("passed-checks.json") }
    }

    /// The checks that passed in a committed attempt; `confirmed` is the last one.
    pub fn read(&self, confirmed: Option<&AttemptId>) -> Result<Vec<Passed>> {
        let document = files::read_json::<Document>(&self.path)?;
        Ok(document.map_or_else(Vec::new, |document| {
            if confirmed == Some(&document.attempt) { document.after } else { document.before }
        }))
    }

    /// Writes the checks that have passed if `attempt` is committed: those of its checks that are
    /// in `before` or pass now. Checks that `attempt` no longer declares are dropped.
    pub fn write(
        &self,
        attempt: &AttemptId,
        before: Vec<Passed>,
        declared: &[Check],
        passes_now: impl Fn(&Check) -> bool,
    ) -> Result<()> {
        let waits = |check: &&Check| check.level == Level::RequiredOncePassed;
        let after: Vec<Passed> = declared
            .iter()
            .filter(waits)
            .filter(|check| has_passed(&before, check) || passes_now(check))
            .map(|check| Passed { name: check.name.clone(), kind: check.kind.clone() })
            .collect();
        if before.is_empty() && after.is_empty() && !self.path.exists() {
            return Ok(());
        }
        let attempt = attempt.clone();
        files::write_json(
            &self.path,
            &Document { version: sealed::VERSION, before, attempt, after },
        )
    }
}

/// The checks with their level in this attempt: `required` or `advisory`.
pub fn levelled(checks: &[Check], passed: &[Passed]) -> Vec<Check> {
    let levelled = |check: &Check| {
        let level = match check.level {
            Level::RequiredOncePassed if has_passed(passed, check) => Level::Required,
            Level::RequiredOncePassed => Level::Advisory,
            level => level,
        };
        Check { level, ..check.clone() }
    };
    checks.iter().map(levelled).collect()
}

fn has_passed(passed: &[Passed], check: &Check) -> bool {
    passed.iter().any(|each| each.name == check.name && each.kind == check.kind)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
