//! What was seen of a cell.

use std::fmt;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Fault, Phase};
use crate::systems::Lane;
use crate::tables::kept;

/// Below the workspace's `target`.
const FOLDER: &str = "faults";

/// The end of an attempt; by what the machine is, or as `deploy` said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// Nothing was changed by it.
    Untouched,
    /// The new system runs and boots.
    Committed,
    /// The system of before runs and boots.
    RolledBack,
    /// Another tool has the machine.
    TakenOver,
    /// Neither was reached.
    Stranded,
    /// `deploy` could not ask.
    NotKnown,
}

/// A host's system, seen from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum System {
    /// The system of before.
    Old,
    /// The system that was wanted.
    New,
    /// A third one.
    Other,
}

/// What was seen of one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    /// How it ended.
    pub ending: Ending,
    /// What the machine boots afterwards, by a power cut and a boot.
    pub boots: System,
    /// The exit code of `deploy`; none if it was killed.
    pub code: Option<i32>,
    /// At how many points of the phase the fault was brought about.
    pub points: u32,
    /// What shows that the fault hit in its phase.
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

/// Keeps what was seen, or with `None` forgets what was seen before.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(lane: Lane, fault: Fault, phase: Phase, seen: Option<&Seen>) -> Result<()> {
    kept::keep(FOLDER, &name(lane, fault, phase), seen)
}

/// What was seen of a cell, if it was run on this lane.
///
/// # Errors
/// When its file cannot be read.
pub fn load(lane: Lane, fault: Fault, phase: Phase) -> Result<Option<Seen>> {
    kept::load(FOLDER, &name(lane, fault, phase))
}
