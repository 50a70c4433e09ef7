//! Checks of level `required-once-passed` that have passed: which of them decide by now.
//!
//! What an attempt saw is written before its commit and counts once that attempt is the one
//! that was confirmed last. Written after it, a power cut in between would lose what passed;
//! counted at once, an attempt that goes back would make its checks decide:
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

/// A check that has passed. With what it looked at: one that asks for another issuer under
/// the same name has not passed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    name: String,
    kind: CheckKind,
}

/// The file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    /// What had passed before `attempt`.
    before: Vec<Passed>,
    /// The attempt that wrote this.
    attempt: AttemptId,
    /// What has passed once `attempt` is committed.
    after: Vec<Passed>,
}

/// The folder's file of checks that have passed.
#[derive(Debug)]
pub struct PassedChecks {
    path: PathBuf,
}

impl PassedChecks {
    /// The machine's.
    pub fn open() -> Self {
        Self::in_folder(Path::new(STATE))
    }

    fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("passed-checks.json") }
    }

    /// What has passed in an attempt that was committed; `confirmed` is the last one.
    pub fn read(&self, confirmed: Option<&AttemptId>) -> Result<Vec<Passed>> {
        let document = files::read_json::<Document>(&self.path)?;
        Ok(document.map_or_else(Vec::new, |document| {
            if confirmed == Some(&document.attempt) { document.after } else { document.before }
        }))
    }

    /// Writes what has passed if `attempt` is committed: of its checks those that `before`
    /// has and those that pass now. What `attempt` no longer declares is gone then.
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

/// The checks with the level that each of them has in this attempt: `required` or `advisory`.
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
