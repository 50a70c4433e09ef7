//! What happens in an attempt, as the operator is told.

use serde::{Deserialize, Serialize};

use crate::phase::Phase;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Event {
    /// A phase began.
    Phase {
        /// Which.
        phase: Phase,
        /// Seconds until its deadline.
        #[serde(default)]
        seconds_left: Option<u64>,
        /// Why, where that matters: the reason of a rollback.
        #[serde(default)]
        why: Option<String>,
    },
    /// A line that the switch printed.
    Line {
        /// The line without its end.
        text: String,
    },
    /// The switch ended.
    Switched {
        /// Its exit status; null when it was killed.
        #[serde(default)]
        status: Option<i32>,
    },
    /// A check's last word changed.
    Check {
        /// Its name.
        name: String,
        /// Whether it passes.
        passes: bool,
        /// What was seen.
        detail: String,
    },
    /// A unit that this deploy broke.
    BrokenUnit {
        /// Its name.
        unit: String,
        /// In what way.
        detail: String,
    },
    /// Something people should know.
    Note {
        /// One line.
        text: String,
    },
    /// What an agent of a later version tells. An attempt goes on without it.
    #[serde(other)]
    Unknown,
}
