//! The phases of an attempt on the machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The phase of an attempt. `ask` and `push` come earlier and leave no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The record and the garbage collector roots exist; nothing was switched.
    Staged,
    /// The watchers are starting.
    Arming,
    /// The machine switches to the new system.
    Activating,
    /// The agent watches units and declared checks.
    Checking,
    /// The agent waits for the confirmation of a new login.
    Waiting,
    /// The agent sets the profile and the boot loader to the new system.
    Committing,
    /// The machine rolls back to the system that ran before.
    RollingBack,
    /// Switching back is impossible, so the machine reboots into its previous boot default.
    Rebooting,
    /// The attempt has ended; its outcome says how.
    Ended,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 9] = [
        Self::Staged,
        Self::Arming,
        Self::Activating,
        Self::Checking,
        Self::Waiting,
        Self::Committing,
        Self::RollingBack,
        Self::Rebooting,
        Self::Ended,
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Staged => "stage",
            Self::Arming => "arm",
            Self::Activating => "activate",
            Self::Checking => "check",
            Self::Waiting => "wait",
            Self::Committing => "commit",
            Self::RollingBack => "roll back",
            Self::Rebooting => "reboot",
            Self::Ended => "end",
        })
    }
}
