//! What was seen of a cell, kept as a file each until the page is made.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Fault, Phase};
use crate::systems::Lane;

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

/// What a host boots, seen from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Boots {
    /// The system of before.
    Old,
    /// The system that was wanted.
    New,
    /// A third one.
    Other,
}

/// What was seen of one cell on one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    /// How it ended.
    pub ending: Ending,
    /// What the machine boots afterwards, by a power cut and a boot.
    pub boots: Boots,
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

impl fmt::Display for Boots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Other => "other",
        })
    }
}

/// Where the files are: in the workspace's `target`, which no commit has.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/faults")
}

fn file(lane: Lane, fault: Fault, phase: Phase) -> PathBuf {
    folder().join(format!("{}.{}.{}.json", fault.word(), phase.word(), lane.word()))
}

/// Keeps what was seen, or with `None` forgets what was seen before.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(lane: Lane, fault: Fault, phase: Phase, seen: Option<&Seen>) -> Result<()> {
    let path = file(lane, fault, phase);
    let what = || format!("cannot write {}", path.display());
    fs::create_dir_all(folder()).with_context(what)?;
    match seen {
        Some(seen) => fs::write(&path, serde_json::to_string_pretty(seen)?).with_context(what),
        None if path.exists() => fs::remove_file(&path).with_context(what),
        None => Ok(()),
    }
}

/// What was seen of a cell, if it was run on this lane.
///
/// # Errors
/// When its file cannot be read.
pub fn load(lane: Lane, fault: Fault, phase: Phase) -> Result<Option<Seen>> {
    let path = file(lane, fault, phase);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("cannot read {}", path.display()))?,
    };
    serde_json::from_str(&text).map(Some).with_context(|| format!("{} says {text}", path.display()))
}
