//! The results of deploy-rs's cells, and what is wrong with them.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Phase, Row};
use crate::tables::fault_table::seen::System;
use crate::tables::kept;

/// The folder below the workspace's `target`.
const FOLDER: &str = "faults-deploy-rs";

/// What deploy-rs's `deploy` reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Said {
    /// Exit code 0: deployed and confirmed.
    Confirmed,
    /// Another exit code, and a message that the machine is back on its previous generation.
    RolledBack,
    /// Another exit code, and no message about the state of the machine.
    Failed,
    /// It did not end in time.
    Nothing,
    /// It was killed.
    Killed,
}

/// The result of one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    /// The running system once deploy-rs's processes on the machine have ended, or would not end;
    /// `None` if the machine does not boot after a power cut that was the fault.
    pub runs: Option<System>,
    /// The system that the machine boots after a further power cut; `None` if it does not boot.
    pub boots: Option<System>,
    /// Whether a new login worked before that power cut.
    pub logs_in: bool,
    /// Whether a new login worked after it.
    pub logs_in_again: bool,
    /// Whether the confirmation reached the machine.
    pub confirmed: bool,
    /// Whether a process of deploy-rs never ended on the machine.
    pub busy: bool,
    /// What deploy-rs reported.
    pub said: Said,
    /// The exit code; `None` if it was killed.
    pub code: Option<i32>,
    /// The evidence that the fault occurred in its phase.
    pub evidence: String,
    /// The last lines of the output.
    pub printed: Vec<String>,
}

impl Seen {
    /// What is wrong, judged by what `deploy` promises: one system, confirmed before or now, that
    /// accepts logins, and a true report about it. Empty if nothing is wrong.
    pub fn wrong(&self) -> Vec<String> {
        let (new, old) = (Some(System::New), Some(System::Old));
        let (runs, boots) = (self.runs, self.boots);
        let is = |system| runs == system && boots == system;
        let mut wrong = Vec::new();
        match (runs, boots) {
            (None, _) => wrong.push("does not boot".into()),
            (Some(runs), None) => wrong.push(format!("runs {runs}, does not boot")),
            (Some(runs), Some(boots)) if runs != boots => {
                wrong.push(format!("runs {runs}, boots {boots}"));
            }
            _ => {}
        }
        if (runs == new || boots == new) && !self.confirmed {
            wrong.push("never confirmed".into());
        }
        if self.busy {
            wrong.push("the switch never ends".into());
        }
        match (self.logs_in, self.logs_in_again) {
            (false, true) => wrong.push("nobody can log in until it is booted".into()),
            (_, false) if boots.is_some() => wrong.push("nobody can log in".into()),
            _ => {}
        }
        match self.said {
            Said::Confirmed if !is(new) => wrong.push("says deployed".into()),
            Said::RolledBack if !is(old) => wrong.push("says rolled back".into()),
            Said::Failed if is(new) => wrong.push("says failed".into()),
            Said::Nothing => wrong.push("says nothing".into()),
            _ => {}
        }
        wrong
    }
}

fn name(row: Row, phase: Phase) -> String {
    format!("{}.{}", row.word(), phase.word())
}

/// Stores a result; `None` deletes the previous one.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(row: Row, phase: Phase, seen: Option<&Seen>) -> Result<()> {
    kept::keep(FOLDER, &name(row, phase), seen)
}

/// The result of a cell, if it was run.
///
/// # Errors
/// When its file cannot be read.
pub fn load(row: Row, phase: Phase) -> Result<Option<Seen>> {
    kept::load(FOLDER, &name(row, phase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(runs: System, boots: System, said: Said, confirmed: bool) -> Seen {
        Seen {
            runs: Some(runs),
            boots: Some(boots),
            logs_in: true,
            logs_in_again: true,
            confirmed,
            busy: false,
            said,
            code: None,
            evidence: String::new(),
            printed: Vec::new(),
        }
    }

    #[test]
    fn what_is_so_and_confirmed_is_not_wrong() {
        use System::{New, Old};
        assert!(seen(New, New, Said::Confirmed, true).wrong().is_empty());
        assert!(seen(Old, Old, Said::RolledBack, false).wrong().is_empty());
        assert!(seen(Old, Old, Said::Failed, false).wrong().is_empty());
        assert!(seen(Old, Old, Said::Killed, false).wrong().is_empty());
    }

    #[test]
    fn what_is_not_so_is_wrong_as_well_as_what_nobody_confirmed() {
        use System::{New, Old, Other};
        let never = seen(New, New, Said::RolledBack, false);
        assert_eq!(never.wrong(), ["never confirmed", "says rolled back"]);
        assert_eq!(seen(Old, Old, Said::Confirmed, true).wrong(), ["says deployed"]);
        assert_eq!(seen(Other, Other, Said::Confirmed, true).wrong(), ["says deployed"]);
        assert_eq!(seen(New, Old, Said::Killed, true).wrong(), ["runs new, boots old"]);
        let out = Seen { logs_in: false, ..seen(New, New, Said::Confirmed, true) };
        assert_eq!(out.wrong(), ["nobody can log in until it is booted"]);
        let dead = Seen { runs: None, boots: None, ..seen(Old, Old, Said::RolledBack, false) };
        assert_eq!(dead.wrong(), ["does not boot", "says rolled back"]);
    }
}
