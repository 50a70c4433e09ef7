//! How an attempt ended, and what a reboot would start.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::store_path::StorePath;

/// The five ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// Nothing was changed.
    Refused,
    /// The new system runs and boots.
    Committed,
    /// The system of before runs and boots.
    RolledBack,
    /// Another tool switched the machine; nothing of it was undone.
    TakenOver,
    /// Neither was reached.
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
    /// It cannot be told, and why.
    Unknown(String),
}

impl BootDefault {
    /// The toplevel, when it is known.
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

/// How an attempt ended: looked up on the machine when it ended, not assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcome {
    /// Which of the five ends.
    pub end: End,
    /// Why it is not `committed`, in words for people.
    #[serde(default)]
    pub why: Option<String>,
    /// What ran when it ended.
    #[serde(default)]
    pub runs: Option<StorePath>,
    /// What booted by default when it ended.
    pub boots: BootDefault,
    /// The number of the profile generation that holds what `boots` names, or
    /// that was made by the commit.
    #[serde(default)]
    pub generation: Option<u64>,
    /// What people should know besides: units that could not be brought back,
    /// late checks that fail, what happens next by itself.
    #[serde(default)]
    pub notes: Vec<String>,
}
