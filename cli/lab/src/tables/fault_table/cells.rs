//! The cells of the fault table, and the required end of each.

use super::seen::Ending::{
    self, Committed as C, NotKnown as N, RolledBack as R, TakenOver as T, Untouched as U,
};
use super::{Fault, Phase};

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// There is nothing to test.
    Nothing,
    /// The fault cannot be caused in this phase, for this reason.
    Impossible(&'static str),
    /// The fault can be caused. The first end is the required one, by the running system, the boot
    /// default and the machine's record. The second is the end that `deploy` must report; `None` if
    /// `deploy` was killed.
    Ends(Ending, Option<Ending>),
}

/// `deploy` reports the actual end.
const fn ends(ending: Ending) -> Cell {
    Cell::Ends(ending, Some(ending))
}

/// `deploy` is killed and reports nothing.
const fn unsaid(ending: Ending) -> Cell {
    Cell::Ends(ending, None)
}

/// `deploy` can no longer reach the machine, and reports that.
const fn unheard(ending: Ending) -> Cell {
    Cell::Ends(ending, Some(N))
}

const OFF: Cell = Cell::Nothing;

/// The cells of a row, in the order of [`Phase::ALL`].
fn row(fault: Fault) -> [Cell; 9] {
    let (u, c, r, t) = (ends(U), ends(C), ends(R), ends(T));
    match fault {
        Fault::Control => [c, c, c, c, c, c, c, c, r],
        Fault::OperatorKilled => {
            let (u, c, r) = (unsaid(U), unsaid(C), unsaid(R));
            [u, u, u, r, r, r, r, c, r]
        }
        Fault::OperatorSuspended => [OFF, c, OFF, OFF, r, r, r, OFF, OFF],
        Fault::NetworkGone => {
            let (c, r) = (unheard(C), unheard(R));
            [u, u, u, r, r, r, r, c, r]
        }
        Fault::NetworkBack => [c, c, OFF, OFF, c, c, c, OFF, r],
        Fault::AnswerLost => [OFF, OFF, OFF, OFF, OFF, OFF, c, c, OFF],
        Fault::NoNewLogins => [OFF, OFF, OFF, OFF, r, OFF, r, OFF, OFF],
        Fault::AgentKilled => [OFF, OFF, u, c, c, c, c, c, r],
        Fault::PowerCut => [u, u, u, u, r, r, r, r, r],
        Fault::StoreFull => [u, u, u, OFF, c, c, c, c, r],
        Fault::BootFull => [OFF, OFF, u, OFF, OFF, OFF, OFF, r, OFF],
        Fault::MountFails => [OFF, OFF, OFF, OFF, r, OFF, OFF, OFF, r],
        Fault::Reloads => [OFF, OFF, OFF, c, c, c, c, OFF, r],
        Fault::SecondOperator => {
            let locked = Cell::Impossible(
                "both send the same agent, and Nix on the machine lets the second one wait for \
                 the first one's lock: the second is in no phase of its own",
            );
            [c, locked, c, c, c, c, c, c, r]
        }
        Fault::OtherTool => [c, u, t, OFF, t, t, t, t, t],
        Fault::Garbage => [OFF, c, c, OFF, c, c, c, c, r],
        Fault::Hangs => [OFF, OFF, OFF, OFF, r, OFF, OFF, r, r],
        Fault::HalfSwitched => [OFF, OFF, OFF, OFF, r, OFF, OFF, OFF, r],
        Fault::SoftReboot => [u, u, OFF, OFF, r, r, r, r, r],
        Fault::ClockJumps => [OFF, OFF, OFF, OFF, c, OFF, c, OFF, OFF],
    }
}

/// The cell of a fault in a phase.
pub fn cell(fault: Fault, phase: Phase) -> Cell {
    row(fault)[phase as usize]
}

/// Why a fault that the stand-in can have cannot be caused on real NixOS.
pub fn not_on_real(fault: Fault, phase: Phase) -> Option<&'static str> {
    match (fault, phase) {
        (Fault::OtherTool, Phase::Activate | Phase::Commit | Phase::RollBack) => Some(
            "the switch of these modules waits for the lock where later ones refuse, and so the \
             other tool's comes after the phase",
        ),
        _ => None,
    }
}
