//! The same table for deploy-rs 1.0.0: its own phases, the same faults. Except for the controls, no
//! end is required. The page shows the result next to what `deploy` must do.

mod page;
mod rows;
mod seen;

use std::fmt;

use super::Fault;

pub use self::page::PAGE;
pub use self::rows::{Place, place};
pub use self::seen::{Said, Seen, keep, load};

/// A phase of deploy-rs in which a deploy is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `nix copy` sends the closure.
    Push,
    /// The profile names the new system; the switch runs its own checks and has changed nothing.
    SetProfile,
    /// The boot loader has the new system; the switch is held in its activation.
    Activate,
    /// The switch has ended; the confirmation does not reach the machine.
    Wait,
    /// No confirmation arrived in time. The profile and the boot loader are the old ones again, and
    /// the switch back is held in its activation.
    RollBack,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A fault of `deploy`'s table.
    Of(Fault),
    /// [`Fault::NetworkBack`], after the machine has begun to roll back.
    NetworkBackLate,
    /// [`Fault::PowerCut`] after the kernel has written out its data, which takes half a minute.
    /// The cut loses nothing.
    PowerCutLater,
    /// [`Fault::PowerCut`] at the moment when `deploy` has ended.
    PowerCutAtTheEnd,
    /// [`Fault::NoNewLogins`], with an ssh that keeps connections.
    NoNewLoginsKept,
}

impl Phase {
    /// All phases, in the order of a deploy.
    pub const ALL: [Self; 5] =
        [Self::Push, Self::SetProfile, Self::Activate, Self::Wait, Self::RollBack];

    /// The phase's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::SetProfile => "set-profile",
            Self::Activate => "activate",
            Self::Wait => "wait",
            Self::RollBack => "roll-back",
        }
    }

    /// The phase of `deploy` to compare with.
    pub fn beside(self) -> super::Phase {
        match self {
            Self::Push => super::Phase::Push,
            Self::SetProfile => super::Phase::Commit,
            Self::Activate => super::Phase::Activate,
            Self::Wait => super::Phase::Wait,
            Self::RollBack => super::Phase::RollBack,
        }
    }
}

impl Row {
    /// All rows, in the order of the page.
    pub fn all() -> Vec<Self> {
        Fault::ALL.into_iter().flat_map(Self::of).collect()
    }

    /// The rows of one fault.
    pub fn of(fault: Fault) -> Vec<Self> {
        match fault {
            Fault::NetworkBack => vec![Self::Of(fault), Self::NetworkBackLate],
            Fault::NoNewLogins => vec![Self::Of(fault), Self::NoNewLoginsKept],
            Fault::PowerCut => {
                vec![Self::Of(fault), Self::PowerCutLater, Self::PowerCutAtTheEnd]
            }
            _ => vec![Self::Of(fault)],
        }
    }

    /// The row's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Of(Fault::AgentKilled) => "activate-killed",
            Self::Of(fault) => fault.word(),
            Self::NetworkBackLate => "network-back-too-late",
            Self::PowerCutLater => "power-cut-half-a-minute-later",
            Self::PowerCutAtTheEnd => "power-cut-the-instant-it-ends",
            Self::NoNewLoginsKept => "no-new-logins-beside-kept-connections",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word().replace('-', " "))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word().replace('-', " "))
    }
}
