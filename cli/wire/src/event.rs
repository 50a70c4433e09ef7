//! The events of an attempt that the operator sees.

use serde::{Deserialize, Serialize};

use crate::phase::Phase;

/// One event of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Event {
    /// A phase began.
    Phase {
        /// The phase that began.
        phase: Phase,
        /// Seconds until its deadline.
        #[serde(default)]
        seconds_left: Option<u64>,
        /// The reason for a rollback.
        #[serde(default)]
        why: Option<String>,
    },
    /// The switch printed a line.
    Line {
        /// The line without its line end.
        text: String,
    },
    /// The switch ended.
    Switched {
        /// Its exit status; null when it was killed.
        #[serde(default)]
        status: Option<i32>,
    },
    /// The result of a check changed.
    Check {
        /// The name of the check.
        name: String,
        /// Whether it passes.
        passes: bool,
        /// What the check saw.
        detail: String,
    },
    /// This deploy broke a unit.
    BrokenUnit {
        /// The name of the unit.
        unit: String,
        /// How the unit is broken.
        detail: String,
    },
    /// A note for the operator.
    Note {
        /// The note, in one line.
        text: String,
    },
    /// What an agent of a later version tells. An attempt goes on without it.
    #[serde(other)]
    Unknown,
}
