//! How an attempt ended, and which system a reboot starts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::store_path::StorePath;

/// The five outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// Nothing was changed.
    Refused,
    /// The new system runs and is the boot default.
    Committed,
    /// The previous system runs and is the boot default.
    RolledBack,
    /// Another tool switched the machine; its work was not undone.
    TakenOver,
    /// Neither the new nor the previous system was reached.
    Stranded,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Committed => "committed",
            Self::RolledBack => "rolled back",
            Self::TakenOver => "taken over",
            Self::Stranded => "stranded",
        })
    }
}

/// Which system a reboot starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum BootDefault {
    /// The toplevel that the boot loader's default entry names.
    Known(StorePath),
    /// The boot default cannot be determined, for this reason.
    Unknown(String),
}

impl BootDefault {
    /// The toplevel, if it is known.
    pub fn known(&self) -> Option<&StorePath> {
        match self {
            Self::Known(toplevel) => Some(toplevel),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for BootDefault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(toplevel) => write!(f, "{toplevel}"),
            Self::Unknown(why) => write!(f, "not known ({why})"),
        }
    }
}

/// How an attempt ended. The agent looks at the machine to fill it in and assumes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcome {
    /// Which of the five outcomes it is.
    pub end: End,
    /// Why the end is not `committed`, for people.
    #[serde(default)]
    pub why: Option<String>,
    /// The running system at the end.
    #[serde(default)]
    pub runs: Option<StorePath>,
    /// The boot default at the end.
    pub boots: BootDefault,
    /// The profile generation that holds what `boots` names, or that the commit made.
    #[serde(default)]
    pub generation: Option<u64>,
    /// Notes for the operator: units that could not be restored, advisory checks that fail, and
    /// what happens next without anybody's action.
    #[serde(default)]
    pub notes: Vec<String>,
}
