//! The running system, from an attempt's point of view.

use deploy_wire::record::Record;

use super::transition::RunningSystem;
use crate::machine::look::running;

/// Classifies the running system. After a restart, the previous boot default counts as the previous
/// system. An attempt may want the running system, to make it the boot default; it then counts as
/// the wanted one.
pub fn runs_for(record: &Record, started: Started) -> RunningSystem {
    let Some(running) = running() else { return RunningSystem::Other };
    if running == record.wanted {
        return RunningSystem::Wanted;
    }
    let before = match started {
        Started::Anew => record.boots.known() == Some(&running),
        Started::Before => false,
    };
    if before || running == record.ran { RunningSystem::Before } else { RunningSystem::Other }
}

/// Whether the machine was started since the attempt's last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// The machine was restarted.
    Anew,
    /// The machine is still in the same boot.
    Before,
}
