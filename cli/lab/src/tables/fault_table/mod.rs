//! The fault table: which fault in which phase, how each such cell must end, what was seen of
//! it, and the page that shows it. No fault is brought about here: scenarios do that.

mod cells;
mod page;
pub mod peer;
mod seen;

use std::fmt;

pub use self::cells::{Cell, cell, not_on_real};
pub use self::page::PAGE;
pub use self::seen::{Ending, Seen, System, keep, load};

/// A phase of a deploy, in which it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Logging in and asking.
    Ask,
    /// The closure travels.
    Push,
    /// The new system's own checks run; nothing is recorded yet.
    Stage,
    /// Recorded and started; the watching service does not run yet.
    Arm,
    /// The switch stands in its activation.
    Activate,
    /// A declared check does not pass yet.
    Check,
    /// No new login comes through.
    Wait,
    /// The boot loader is being installed.
    Commit,
    /// The switch back stands in its activation.
    RollBack,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the phase is held and let go.
    Control,
    /// `deploy` and its ssh get SIGKILL.
    OperatorKilled,
    /// The operator's computer sleeps beyond the deadline.
    OperatorSuspended,
    /// The machine's cable is cut until `deploy` has ended.
    NetworkGone,
    /// The machine's cable is cut for two seconds.
    NetworkBack,
    /// What the machine answers arrives nowhere.
    AnswerLost,
    /// Nobody can log in any more; connections that stand live on.
    NoNewLogins,
    /// Every process of the agent but the switch gets SIGKILL.
    AgentKilled,
    /// The power goes, and comes back.
    PowerCut,
    /// /nix has no byte left.
    StoreFull,
    /// /boot has no byte left.
    BootFull,
    /// A mount of the new system fails: emergency mode.
    MountFails,
    /// `systemctl daemon-reload`, once a second.
    Reloads,
    /// Somebody else deploys another system.
    SecondOperator,
    /// Another tool sets the profile and switches, as nixos-rebuild does.
    OtherTool,
    /// `nix-collect-garbage -d`.
    Garbage,
    /// The switch, or the loader's installation, never ends.
    Hangs,
    /// The switch ends with some units stopped and not started again.
    HalfSwitched,
    /// `systemctl soft-reboot`.
    SoftReboot,
    /// The wall clock jumps.
    ClockJumps,
}

impl Phase {
    /// In the order of a deploy.
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

    /// One word, for names and the page.
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
    /// In the order of the page.
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

    /// The nine that `scripts/test` runs, and that run beside a hostile user too.
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

    /// A name, for scenarios and files.
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
