//! How each machine ended. Exit codes are computed here and nowhere else.

use deploy_wire::outcome::End;
use serde::Serialize;

/// How a command ended on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// The machine already ran and booted the wanted system.
    UpToDate,
    /// The machine is on the wanted system, and that is confirmed.
    Committed,
    /// The command left the running system as it is, and succeeded.
    Looked,
    /// Nothing was changed: the deploy was refused, or failed before the switch.
    Unchanged,
    /// The machine is back on a confirmed system.
    RolledBack,
    /// Another tool switched the machine.
    TakenOver,
    /// Neither system was reached.
    Stranded,
    /// The state is not known, because the machine could not be asked.
    NotKnown,
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        match end {
            End::Refused => Self::Unchanged,
            End::Committed => Self::Committed,
            End::RolledBack => Self::RolledBack,
            End::TakenOver => Self::TakenOver,
            End::Stranded => Self::Stranded,
        }
    }
}

/// The exit code of a command that changes machines.
pub fn exit_code(endings: &[Ending]) -> u8 {
    let any = |ending| endings.contains(&ending);
    let all = |allowed: &[Ending]| endings.iter().all(|ending| allowed.contains(ending));
    if any(Ending::Stranded) || any(Ending::NotKnown) {
        5
    } else if all(&[Ending::UpToDate, Ending::Looked, Ending::Committed]) {
        0
    } else if all(&[Ending::UpToDate, Ending::Looked, Ending::Unchanged]) {
        1
    } else if all(&[Ending::UpToDate, Ending::Looked, Ending::Unchanged, Ending::RolledBack]) {
        3
    } else {
        4
    }
}

/// The exit code of a command that the operator interrupted. It is never 0: the operator stopped
/// the run on purpose, so even a machine that was committed is not what they wanted by then.
/// `ctrl-c-in-each-phase-says-what-becomes-of-the-machine` proves it.
pub fn interrupted_code(endings: &[Ending]) -> u8 {
    match exit_code(endings) {
        0 if endings.contains(&Ending::Committed) => 4,
        0 | 1 => INTERRUPTED,
        code => code,
    }
}

/// The command line is wrong, or there is no terminal to ask a question on.
pub const USAGE: u8 = 2;
/// A command that brings no machine to a system changed something, and what is known.
pub const CHANGED: u8 = 4;
/// A command that changes nothing could not ask a machine.
pub const COULD_NOT_LOOK: u8 = 6;
/// A command that changes nothing has findings.
pub const FINDING: u8 = 1;
/// The operator interrupted before anything was changed.
pub const INTERRUPTED: u8 = 130;

#[cfg(test)]
mod tests {
    use super::{Ending::*, *};

    #[test]
    fn the_code_describes_the_fleet() {
        for (endings, code) in [
            (vec![Committed, UpToDate], 0),
            (vec![Unchanged, UpToDate], 1),
            (vec![RolledBack], 3),
            (vec![RolledBack, Unchanged, UpToDate], 3),
            (vec![Committed, RolledBack], 4),
            (vec![Committed, Unchanged], 4),
            (vec![TakenOver], 4),
            (vec![Committed, Stranded], 5),
            (vec![TakenOver, NotKnown], 5),
        ] {
            assert_eq!(exit_code(&endings), code, "{endings:?}");
        }
        assert_eq!(interrupted_code(&[UpToDate, Unchanged]), INTERRUPTED);
        assert_eq!(interrupted_code(&[Committed, Unchanged]), 4);
        assert_eq!(interrupted_code(&[Committed]), 4);
        assert_eq!(interrupted_code(&[Committed, UpToDate]), 4);
        assert_eq!(interrupted_code(&[UpToDate]), INTERRUPTED);
        assert_eq!(interrupted_code(&[Looked, UpToDate]), INTERRUPTED);
        assert_eq!(interrupted_code(&[RolledBack, Unchanged]), 3);
    }
}
