//! The messages when the operator interrupts `deploy`, and the state that the machine is then in.
//! They are pure: both follow from the last phase that the machine reported.

use deploy_wire::{machine::Confirm, phase::Phase};

use crate::error::Failure;

/// The reason to stop following an attempt: a second interrupt.
pub const AGAIN: &str = "interrupted again";

/// The same, while the connection was lost.
pub const WHILE_LOST: &str = "interrupted while it could not be asked";

/// The interrupt came before any machine was asked.
pub fn before_all() -> Box<Failure> {
    Failure::unchanged("interrupted")
}

/// The interrupt came before the agent took the machine.
pub fn before_the_switch(machine: &str) -> Box<Failure> {
    Failure::unchanged(format!("interrupted; {machine} was not touched"))
}

/// The interrupt came while the agent was taking the machine, and the agent did not answer any
/// more.
pub fn before_it_was_taken(machine: &str) -> Box<Failure> {
    Failure::unchanged(format!("interrupted; {machine} was not told to switch"))
}

/// The interrupt came before this machine's turn.
pub fn before_its_turn(machine: &str) -> Box<Failure> {
    Failure::unchanged(format!("interrupted; {machine} was not begun"))
}

/// Whether an attempt in this phase can still be given up. `None` means that the machine has not
/// reported a phase.
pub fn can_be_given_up(phase: Option<Phase>) -> bool {
    match phase {
        None
        | Some(
            Phase::Staged | Phase::Arming | Phase::Activating | Phase::Checking | Phase::Waiting,
        ) => true,
        Some(Phase::Committing | Phase::RollingBack | Phase::Rebooting | Phase::Ended) => false,
    }
}

/// The effect of the first interrupt on a machine that is taken.
pub fn first(phase: Option<Phase>) -> String {
    let does = match phase {
        None | Some(Phase::Staged | Phase::Arming) => {
            "interrupted before the switch: telling the machine to leave everything as it is"
        }
        Some(Phase::Activating) => {
            "interrupted in the middle of the switch: telling the machine to go back"
        }
        Some(Phase::Checking) => "interrupted: telling the machine to go back",
        Some(Phase::Waiting) => {
            "interrupted: telling the machine to go back; it stays only if it was confirmed just now"
        }
        Some(Phase::Committing) => {
            "interrupted too late to go back: the new system is being made what the machine boots"
        }
        Some(Phase::RollingBack) => "interrupted: the machine is going back already",
        Some(Phase::Rebooting) => "interrupted: the machine is going back already, by a reboot",
        Some(Phase::Ended) => "interrupted: the machine is done already",
    };
    format!("{does} (Ctrl-C again: stop waiting for it)")
}

/// What happens to a machine that could not be told.
pub fn not_told(error: &str, confirmation: Confirmation) -> String {
    let becomes = match confirmation {
        Confirmation::Required => {
            "nothing confirms it any more, so it goes back by itself at its deadline"
        }
        Confirmation::NotRequired => {
            "it needs no login to confirm it, so the new system stays if its checks pass"
        }
    };
    format!("it could not be told ({error}); {becomes}")
}

/// Whether a login has to confirm an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// A login has to confirm.
    Required,
    /// The checks are enough.
    NotRequired,
}

impl Confirmation {
    /// From the machine's rules.
    pub fn of(rules: &Confirm) -> Self {
        if rules.required { Self::Required } else { Self::NotRequired }
    }
}

/// An attempt in progress that is not followed to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Why it is not followed.
    pub why: String,
    /// The last phase that was reported.
    pub phase: Option<Phase>,
    /// Whether the machine was told to give the attempt up.
    pub told: GiveUpRequest,
}

/// Whether a machine was told to give an attempt up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUpRequest {
    /// The request was sent.
    Sent,
    /// The request was not sent, or sending it failed.
    NotSent,
}

impl Left {
    /// What the machine does next by itself. `before` is the system that ran at the start, `wanted`
    /// the new one.
    pub fn words(&self, before: &str, wanted: &str, confirmation: Confirmation) -> String {
        let does = match (self.phase, self.told, confirmation) {
            (Some(Phase::Committing), _, _) => format!(
                "it makes {wanted} what it boots, and stays on it; where that fails it goes back \
                 to {before}"
            ),
            (Some(Phase::RollingBack | Phase::Rebooting), _, _) => {
                format!("it goes back to {before} by itself")
            }
            (Some(Phase::Ended), _, _) => {
                format!("it is on {wanted} if that was confirmed, else back on {before}")
            }
            (None | Some(Phase::Staged | Phase::Arming), GiveUpRequest::Sent, _) => {
                format!("it was told to stay on {before}, and goes back to it if it has switched")
            }
            (_, GiveUpRequest::Sent, _) => {
                format!("it was told to go back to {before}, and does so by itself")
            }
            (_, GiveUpRequest::NotSent, Confirmation::Required) => format!(
                "it was not told to go back; unless it was confirmed before, it goes back to \
                 {before} by itself at its deadline"
            ),
            (_, GiveUpRequest::NotSent, Confirmation::NotRequired) => format!(
                "it was not told to go back; it needs no login to confirm it: it stays on \
                 {wanted} if its checks pass, else it goes back to {before} by itself"
            ),
        };
        format!("not known yet: {does}")
    }
}
