//! The fault table: which fault in which phase, the required end of each cell, the results, and the
//! page that shows them. Scenarios cause the faults; nothing here does.

mod cells;
mod page;
pub mod peer;
mod seen;

use std::fmt;

pub use self::cells::{Cell, cell, not_on_real};
pub use self::page::PAGE;
pub use self::seen::{Ending, Seen, System, keep, load};

/// A phase in which a deploy is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `deploy` logs in and asks.
    Ask,
    /// The closure is being pushed.
    Push,
    /// The new system's own checks run; there is no record yet.
    Stage,
    /// The attempt is recorded and started; the watching service does not run yet.
    Arm,
    /// The switch is held in its activation.
    Activate,
    /// A declared check does not pass yet.
    Check,
    /// No new login reaches the machine.
    Wait,
    /// The boot loader is being installed.
    Commit,
    /// The switch back is held in its activation.
    RollBack,
}

/// The faults of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No fault: the phase is held and released.
    Control,
    /// `deploy` and its ssh are killed with SIGKILL.
    OperatorKilled,
    /// The operator's computer sleeps past the deadline.
    OperatorSuspended,
    /// The machine's cable is cut until `deploy` has ended.
    NetworkGone,
    /// The machine's cable is cut for two seconds.
    NetworkBack,
    /// The machine's replies are lost.
    AnswerLost,
    /// New logins fail; existing connections continue.
    NoNewLogins,
    /// Every process of the agent except the switch is killed with SIGKILL.
    AgentKilled,
    /// The power is cut, and comes back.
    PowerCut,
    /// /nix has no free byte.
    StoreFull,
    /// /boot has no free byte.
    BootFull,
    /// A mount of the new system fails, which leads to emergency mode.
    MountFails,
    /// `systemctl daemon-reload`, once a second.
    Reloads,
    /// Another operator deploys another system.
    SecondOperator,
    /// Another tool sets the profile and switches, as nixos-rebuild does.
    OtherTool,
    /// `nix-collect-garbage -d`.
    Garbage,
    /// The switch, or the boot loader's installation, never ends.
    Hangs,
    /// The switch ends while some units are stopped and not started again.
    HalfSwitched,
    /// `systemctl soft-reboot`.
    SoftReboot,
    /// The wall clock jumps.
    ClockJumps,
}

impl Phase {
    /// All phases, in the order of a deploy.
    pub const ALL: [Self; 9] = [
        Self::Ask,
        Self::Push,
        Self::Stage,
        Self::Arm,
        Self::Activate,
        Self::Check,
        Self::Wait,
        Self::Commit,
        Self::RollBack,
    ];

    /// The phase's name, for scenarios and the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Push => "push",
            Self::Stage => "stage",
            Self::Arm => "arm",
            Self::Activate => "activate",
            Self::Check => "check",
            Self::Wait => "wait",
            Self::Commit => "commit",
            Self::RollBack => "roll-back",
        }
    }
}

impl Fault {
    /// All faults, in the order of the page.
    pub const ALL: [Self; 20] = [
        Self::Control,
        Self::OperatorKilled,
        Self::OperatorSuspended,
        Self::NetworkGone,
        Self::NetworkBack,
        Self::AnswerLost,
        Self::NoNewLogins,
        Self::AgentKilled,
        Self::PowerCut,
        Self::StoreFull,
        Self::BootFull,
        Self::MountFails,
        Self::Reloads,
        Self::SecondOperator,
        Self::OtherTool,
        Self::Garbage,
        Self::Hangs,
        Self::HalfSwitched,
        Self::SoftReboot,
        Self::ClockJumps,
    ];

    /// The nine faults that `scripts/test` runs, also on the hostile lane.
    pub const MAIN: [Self; 9] = [
        Self::Control,
        Self::OperatorKilled,
        Self::NetworkGone,
        Self::AnswerLost,
        Self::NoNewLogins,
        Self::AgentKilled,
        Self::PowerCut,
        Self::MountFails,
        Self::SecondOperator,
    ];

    /// The fault's name, for scenarios and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Control => "no-fault",
            Self::OperatorKilled => "operator-killed",
            Self::OperatorSuspended => "operator-suspended",
            Self::NetworkGone => "network-gone",
            Self::NetworkBack => "network-back-in-time",
            Self::AnswerLost => "answer-lost",
            Self::NoNewLogins => "no-new-logins",
            Self::AgentKilled => "agent-killed",
            Self::PowerCut => "power-cut",
            Self::StoreFull => "nix-full",
            Self::BootFull => "boot-full",
            Self::MountFails => "mount-fails",
            Self::Reloads => "daemon-reload-each-second",
            Self::SecondOperator => "second-operator",
            Self::OtherTool => "other-tool-switches",
            Self::Garbage => "garbage-collection",
            Self::Hangs => "switch-hangs",
            Self::HalfSwitched => "half-switched",
            Self::SoftReboot => "soft-reboot",
            Self::ClockJumps => "wall-clock-jumps",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word().replace('-', " "))
    }
}
