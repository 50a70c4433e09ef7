//! What the machine runs, as an attempt sees it.

use deploy_wire::record::Record;

use super::transition::RunningSystem;
use crate::machine::look::running;

/// What the machine runs, seen from an attempt. Just started, it may also run
/// what was the boot default before, which is as good as what ran. An attempt
/// may want what runs already, to make it the boot default: that counts as
/// wanted.
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
    /// It was.
    Anew,
    /// It is still the same boot.
    Before,
}
