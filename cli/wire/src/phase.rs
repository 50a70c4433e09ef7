//! The phases of an attempt on the machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an attempt is. `ask` and `push` come before and leave no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The record and the roots exist; nothing was switched.
    Staged,
    /// The watchers are being started.
    Arming,
    /// The new system is being switched to.
    Activating,
    /// Units and declared checks are watched.
    Checking,
    /// A new login has to confirm.
    Waiting,
    /// Profile and boot loader are being set to the new system.
    Committing,
    /// The machine goes back to what ran.
    RollingBack,
    /// It cannot go back by switching, and reboots into what booted before.
    Rebooting,
    /// The attempt is over; its outcome says how.
    Ended,
}

impl Phase {
    /// All of them, in their order.
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
