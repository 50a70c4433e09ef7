//! The cells of deploy-rs's table.

use super::{Phase, Row};
use crate::tables::fault_table::Fault;

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// There is nothing to test.
    Nothing,
    /// The fault is possible, but nothing here causes it; the reason.
    NotTried(&'static str),
    /// The cell ended in more than one way; how, and why.
    Varies(&'static str),
    /// A scenario causes the fault.
    Tried,
}

/// The cells of a row, in the order of [`Phase::ALL`].
fn places(row: Row) -> [Place; 5] {
    use Place::{NotTried, Nothing as N, Tried as T, Varies};
    let fault = match row {
        Row::Of(fault) => fault,
        Row::NetworkBackLate | Row::PowerCutAtTheEnd => return [N, N, N, T, N],
        Row::PowerCutLater => return [N, T, T, T, T],
        Row::NoNewLoginsKept => return [N, N, T, N, N],
    };
    match fault {
        Fault::Control
        | Fault::OperatorKilled
        | Fault::NetworkGone
        | Fault::PowerCut
        | Fault::StoreFull
        | Fault::SecondOperator
        | Fault::OtherTool
        | Fault::Garbage => [T; 5],
        Fault::OperatorSuspended => {
            let chance = Varies(
                "old: rolled back, 1, or old: **says deployed**, 0. Both the failure and the call \
                 for its confirmation are there when it wakes up, and it takes either",
            );
            [N, N, chance, T, N]
        }
        Fault::NoNewLogins => [N, N, T, T, N],
        Fault::NetworkBack => [T, N, T, T, T],
        Fault::AnswerLost => [N, N, N, T, N],
        Fault::AgentKilled => [N, T, T, T, T],
        Fault::BootFull => [N, T, N, N, N],
        Fault::MountFails => [N, N, T, N, N],
        Fault::Reloads => [N, N, T, T, T],
        Fault::Hangs => [N, T, T, N, T],
        Fault::HalfSwitched => [N, N, T, N, T],
        Fault::SoftReboot => {
            let boot = NotTried("a soft-reboot takes a lab host's /boot away");
            [T, boot, T, T, boot]
        }
        Fault::ClockJumps => {
            let qemu = NotTried("the wall clock of a lab host is the machine's: needs a VM");
            [N, N, qemu, qemu, N]
        }
    }
}

/// The cell of a row in a phase.
pub fn place(row: Row, phase: Phase) -> Place {
    places(row)[phase as usize]
}
