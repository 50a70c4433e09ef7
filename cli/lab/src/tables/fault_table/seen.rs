//! The results of cells.

use std::fmt;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Fault, Phase};
use crate::systems::Lane;
use crate::tables::kept;

/// The folder below the workspace's `target`.
const FOLDER: &str = "faults";

/// The end of an attempt, by the state of the machine or as `deploy` reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// The attempt changed nothing.
    Untouched,
    /// The new system runs and is the boot default.
    Committed,
    /// The previous system runs and is the boot default.
    RolledBack,
    /// Another tool switched the machine.
    TakenOver,
    /// Neither system was reached.
    Stranded,
    /// `deploy` could not reach the machine.
    NotKnown,
}

/// A host's system, from an attempt's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum System {
    /// The previous system.
    Old,
    /// The wanted system.
    New,
    /// Any other system.
    Other,
}

/// The result of one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    /// How the attempt ended.
    pub ending: Ending,
    /// The system that the machine boots after a further power cut.
    pub boots: System,
    /// The exit code of `deploy`; `None` if it was killed.
    pub code: Option<i32>,
    /// The number of points in the phase at which the fault was caused.
    pub points: u32,
    /// The evidence that the fault occurred in its phase.
    pub evidence: String,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untouched => "untouched",
            Self::Committed => "committed",
            Self::RolledBack => "rolled back",
            Self::TakenOver => "taken over",
            Self::Stranded => "stranded",
            Self::NotKnown => "not known",
        })
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Other => "other",
        })
    }
}

fn name(lane: Lane, fault: Fault, phase: Phase) -> String {
    format!("{}.{}.{}", fault.word(), phase.word(), lane.word())
}

/// Stores a result; `None` deletes the previous one.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(lane: Lane, fault: Fault, phase: Phase, seen: Option<&Seen>) -> Result<()> {
    kept::keep(FOLDER, &name(lane, fault, phase), seen)
}

/// The result of a cell, if it was run on this lane.
///
/// # Errors
/// When its file cannot be read.
pub fn load(lane: Lane, fault: Fault, phase: Phase) -> Result<Option<Seen>> {
    kept::load(FOLDER, &name(lane, fault, phase))
}
