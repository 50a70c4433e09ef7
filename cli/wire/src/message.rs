//! The requests to `deploy-agent serve` and its replies: one JSON document per line.
//!
//! Everything goes over stdin and stdout. A process list therefore shows nothing of an attempt, and
//! a sudo rule for exactly this command line is enough.

use serde::{Deserialize, Serialize};

use crate::{
    attempt::{AttemptId, Login, Mode, Operator},
    builder_push::BuilderPush,
    event::Event,
    machine::Machine,
    outcome::{BootDefault, Outcome},
    record::{ProfileLink, Record},
    store_path::StorePath,
};

/// A request with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// The sender's [`crate::WIRE_VERSION`].
    pub version: u32,
    /// The SSH connection of the request; null at the console. sudo removes `SSH_CONNECTION` from
    /// the environment, so the sender repeats it here.
    #[serde(default)]
    pub login: Option<Login>,
    /// The request itself.
    pub request: Request,
}

/// The kinds of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields, tag = "do")]
pub enum Request {
    /// Report what runs, what boots and which attempt is open. The agent first finishes an attempt
    /// that a power cut left open. Reply: [`Reply::Status`].
    Status,
    /// Take the machine for an attempt. Reply: [`Reply::Staged`] or [`Reply::Refused`].
    Stage(Box<Stage>),
    /// Arm the watchers and run the attempt. Replies: as to [`Request::Follow`].
    Start {
        /// The attempt to start.
        attempt: AttemptId,
    },
    /// Send the attempt's events, from one number on to its end. Replies: any number of
    /// [`Reply::Event`], then [`Reply::Ended`].
    Follow {
        /// The attempt to follow.
        attempt: AttemptId,
        /// The number of the first event to send, from 0.
        from: u64,
    },
    /// Confirm the attempt over a new login. Reply: [`Reply::Ended`] once the attempt has ended, by
    /// the commit or in another way, or [`Reply::Refused`].
    Confirm {
        /// The attempt to confirm.
        attempt: AttemptId,
    },
    /// Cancel the attempt: end it if nothing was switched, or else roll back now. Reply: as to
    /// [`Request::Confirm`].
    Cancel {
        /// The attempt to cancel.
        attempt: AttemptId,
        /// The reason, for people.
        why: String,
    },
    /// Send the journal of an attempt. Replies: any number of [`Reply::Log`], then [`Reply::Done`].
    Logs {
        /// The attempt; null means the last one.
        #[serde(default)]
        attempt: Option<AttemptId>,
    },
    /// Let a builder log in with a one-time key, once and soon, and send the paths of this list and
    /// nothing else, until this conversation ends. Reply: [`Reply::AcceptsBuilder`] or
    /// [`Reply::Refused`].
    AcceptBuilder(Box<BuilderPush>),
    /// Wait until all that the builder sent is on the disk. Reply: [`Reply::Done`] or
    /// [`Reply::Refused`].
    AwaitBuilder,
}

/// The description of a new attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// The attempt's id, chosen by the operator.
    pub attempt: AttemptId,
    /// How far it goes.
    pub mode: Mode,
    /// The person who makes the attempt.
    pub operator: Operator,
    /// The wanted system; it is already in the machine's store.
    pub wanted: StorePath,
    /// The system that ran when `deploy` asked the machine. If another system runs now, somebody
    /// else has switched the machine since.
    pub expects: StorePath,
    /// The agent's own store path.
    pub agent: StorePath,
    /// The machine as the flake describes it.
    pub machine: Machine,
}

/// A reply with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered<R = Reply> {
    /// The sender's [`crate::WIRE_VERSION`].
    pub version: u32,
    /// The reply itself.
    #[serde(flatten)]
    pub reply: R,
}

/// The agent's replies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields, tag = "is")]
pub enum Reply {
    /// The reply to [`Request::Status`].
    Status(Box<Status>),
    /// The agent has taken the machine for the attempt.
    Staged {
        /// The record of the attempt.
        record: Box<Record>,
    },
    /// The agent refuses. Nothing was changed.
    Refused(Refusal),
    /// An event of the attempt.
    Event {
        /// The event's number, from 0 and without gaps.
        number: u64,
        /// The event itself.
        event: Event,
    },
    /// The attempt has ended.
    Ended {
        /// The attempt that ended.
        attempt: AttemptId,
        /// How the attempt ended.
        outcome: Outcome,
    },
    /// One line of a log.
    Log {
        /// The line without its line end.
        line: String,
    },
    /// The reply is complete.
    Done,
    /// The builder may log in.
    AcceptsBuilder {
        /// The host keys that this machine's sshd has: kind and key, without a comment.
        host_keys: Vec<String>,
    },
}

/// What a machine reports about its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// The running system.
    pub runs: Option<StorePath>,
    /// The boot default.
    pub boots: BootDefault,
    /// The system profile.
    pub profile: ProfileLink,
    /// The confirmed system.
    pub confirmed: Option<crate::baseline::Confirmed>,
    /// The open attempt, or else the last one.
    pub attempt: Option<Record>,
    /// The units that are failed now; `None` if systemd did not answer.
    pub failed_units: Option<Vec<String>>,
}

/// Why the agent refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    /// The kind of refusal, for programs.
    pub kind: RefusalKind,
    /// The reason, in one line for people.
    pub why: String,
    /// The hint.
    #[serde(default)]
    pub hint: Option<String>,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalKind {
    /// Another attempt is under way on the machine.
    Busy,
    /// Another tool is switching the machine.
    OtherTool,
    /// The machine runs a system other than the expected one.
    Moved,
    /// The machine is not the one that was meant.
    WrongMachine,
    /// The closure is no NixOS system, or the machine cannot switch to it.
    NotSwitchable,
    /// The pre-switch checks of the new system refuse.
    SwitchRefused,
    /// The store lacks a path of the closure.
    NotValid,
    /// A disk has too little free space.
    NoRoom,
    /// The boot partition is not fit for the commit.
    BootPartition,
    /// A secret cannot be decrypted.
    Secret,
    /// A command before the switch failed.
    BeforeActivate,
    /// The request names a command that the wanted system does not declare, and its sender may run
    /// no other command as root.
    Command,
    /// The attempt does not exist.
    NoSuchAttempt,
    /// The request comes too late or too early for the attempt's phase.
    NotNow,
    /// The confirmation did not arrive over a new login.
    SameLogin,
    /// No builder is accepted: this machine's sshd does not read the agent's keys, or the sender
    /// may not ask for it.
    NoBuilder,
    /// The agent does not support the request's version or shape.
    Unreadable,
    /// A file of the agent is damaged or was written by a newer agent. A person must look at it.
    Damaged,
    /// The machine failed to do it now. A second try may succeed.
    Failed,
}

/// The hint for a system that is missing in Nix's database. A machine is in this state if its image
/// was built without registering the store paths.
pub const NOT_REGISTERED: &str = "register what the image brought: nix-store --load-db < \
     /nix-path-registration there, where the image has that file; else \
     nixos-rebuild boot there, and a reboot";
