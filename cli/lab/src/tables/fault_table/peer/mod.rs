//! The same table for deploy-rs 1.0.0: its own phases, the same faults. Nothing here says how
//! a cell must end, but for the controls: what was seen is shown, beside what `deploy`
//! must come to.

mod page;
mod rows;
mod seen;

use std::fmt;

use super::Fault;

pub use self::page::PAGE;
pub use self::rows::{Place, place};
pub use self::seen::{Said, Seen, keep, load};

/// A phase of a deploy by deploy-rs, in which it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `nix copy` sends the closure.
    Push,
    /// The profile is the new one; the switch makes its own checks and has changed nothing.
    SetProfile,
    /// The boot loader has the new system; the switch stands in its activation.
    Activate,
    /// The switch is done; the confirmation does not come through.
    Wait,
    /// No confirmation came in time; profile and boot loader are the old ones again, and the
    /// switch back stands in its activation.
    RollBack,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// One of the faults of the other table.
    Of(Fault),
    /// [`Fault::NetworkBack`], when the machine has begun to roll back.
    NetworkBackLate,
    /// [`Fault::PowerCut`], once the kernel has written what it holds, which takes it half a
    /// minute: nothing is lost with the power.
    PowerCutLater,
    /// [`Fault::PowerCut`] the instant `deploy` has ended.
    PowerCutAtTheEnd,
    /// [`Fault::NoNewLogins`], where the operator's ssh keeps connections.
    NoNewLoginsKept,
}

impl Phase {
    /// In the order of a deploy.
    pub const ALL: [Self; 5] =
        [Self::Push, Self::SetProfile, Self::Activate, Self::Wait, Self::RollBack];

    /// For names.
    pub fn word(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::SetProfile => "set-profile",
            Self::Activate => "activate",
            Self::Wait => "wait",
            Self::RollBack => "roll-back",
        }
    }

    /// The phase of `deploy` that it stands beside.
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
    /// In the order of the page.
    pub fn all() -> Vec<Self> {
        Fault::ALL.into_iter().flat_map(Self::of).collect()
    }

    /// Those of one fault.
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

    /// For names.
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
