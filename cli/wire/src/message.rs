//! Requests to `deploy-agent serve` and its replies, one JSON document a line.
//!
//! Everything goes over stdin and stdout: nothing about an attempt is to be
//! seen in a process list, and a sudo rule for exactly this command line is
//! enough.

use serde::{Deserialize, Serialize};

use crate::{
    attempt::{AttemptId, Login, Mode, Operator},
    event::Event,
    machine::Machine,
    outcome::{BootDefault, Outcome},
    record::{ProfileLink, Record},
    store_path::StorePath,
};

/// A request with the version it is written in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// [`crate::WIRE_VERSION`] of the sender.
    pub version: u32,
    /// The SSH connection that it comes over; null at the console. sudo strips
    /// `SSH_CONNECTION`, so the sender passes it on.
    #[serde(default)]
    pub login: Option<Login>,
    /// What is wanted.
    pub request: Request,
}

/// What the agent is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields, tag = "do")]
pub enum Request {
    /// What runs, what boots, which attempt is open. Finishes an attempt that a
    /// power cut left open, first. Answer: [`Reply::Status`].
    Status,
    /// Take the machine for an attempt. Answer: [`Reply::Staged`] or
    /// [`Reply::Refused`].
    Stage(Box<Stage>),
    /// Arm the watchers and let the attempt run, then as [`Request::Follow`].
    Start {
        /// Which.
        attempt: AttemptId,
    },
    /// Tell the events of an attempt from one number on, until its end.
    /// Answers: [`Reply::Event`] each, then [`Reply::Ended`].
    Follow {
        /// Which.
        attempt: AttemptId,
        /// The number of the first event to tell, from 0.
        from: u64,
    },
    /// Confirm from a new login. Answer: [`Reply::Ended`] once the commit (or
    /// what came before it) is through, or [`Reply::Refused`].
    Confirm {
        /// Which.
        attempt: AttemptId,
    },
    /// Give the attempt up: end it where nothing was switched, else go back
    /// now. Answer as to [`Request::Confirm`].
    Cancel {
        /// Which.
        attempt: AttemptId,
        /// Why, in words for people.
        why: String,
    },
    /// What the journal has of an attempt. Answers: [`Reply::Log`] each, then
    /// [`Reply::Done`].
    Logs {
        /// Which; null means the last one.
        #[serde(default)]
        attempt: Option<AttemptId>,
    },
}

/// What an attempt is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// Its id, chosen by the operator.
    pub attempt: AttemptId,
    /// How far it goes.
    pub mode: Mode,
    /// Who makes it.
    pub operator: Operator,
    /// The wanted system; already in the machine's store.
    pub wanted: StorePath,
    /// What ran when the operator asked: another system now means that somebody
    /// else was faster.
    pub expects: StorePath,
    /// The agent's own store path.
    pub agent: StorePath,
    /// The machine as the flake describes it.
    pub machine: Machine,
}

/// A reply with the version it is written in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered<R = Reply> {
    /// [`crate::WIRE_VERSION`] of the sender.
    pub version: u32,
    /// What is answered.
    #[serde(flatten)]
    pub reply: R,
}

/// What the agent answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields, tag = "is")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// The attempt has the machine.
    Staged {
        /// The record as it was written.
        record: Box<Record>,
    },
    /// Nothing was changed.
    Refused(Refusal),
    /// One event of an attempt.
    Event {
        /// Its number, from 0, without gaps.
        number: u64,
        /// What happened.
        event: Event,
    },
    /// The attempt is over.
    Ended {
        /// Which.
        attempt: AttemptId,
        /// How.
        outcome: Outcome,
    },
    /// One line of a log.
    Log {
        /// The line without its end.
        line: String,
    },
    /// Nothing more follows.
    Done,
}

/// What a machine says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// What runs.
    pub runs: Option<StorePath>,
    /// What boots.
    pub boots: BootDefault,
    /// The system profile.
    pub profile: ProfileLink,
    /// The last commit.
    pub confirmed: Option<crate::baseline::Confirmed>,
    /// The attempt that is open, or the last one.
    pub attempt: Option<Record>,
    /// Units that are failed now; `None` where systemd could not be asked.
    pub failed_units: Option<Vec<String>>,
}

/// Why the agent refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    /// The kind, for programs.
    pub kind: RefusalKind,
    /// What is wrong, one line for people.
    pub why: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalKind {
    /// Another attempt has the machine.
    Busy,
    /// Another tool is switching it.
    OtherTool,
    /// It runs something else than what the operator was told.
    Moved,
    /// It is another machine.
    WrongMachine,
    /// The closure is no NixOS system, or none that can be switched to.
    NotSwitchable,
    /// The pre-switch checks of the new system refuse.
    SwitchRefused,
    /// A path of the closure is missing in the store.
    NotValid,
    /// A disk has no room.
    NoRoom,
    /// The boot partition is not sound.
    BootPartition,
    /// A secret cannot be decrypted.
    Secret,
    /// A command before the switch failed.
    BeforeActivate,
    /// It names a command that the wanted system does not, and comes from who may run no other.
    Command,
    /// There is no such attempt.
    NoSuchAttempt,
    /// It is too late for that, or too early.
    NotNow,
    /// The confirmation did not come over a new login.
    SameLogin,
    /// The request is of a version or shape that this agent does not speak.
    Unreadable,
    /// A file that it keeps is damaged or of a newer agent: a person has to look at it.
    Damaged,
    /// The machine could not do it in this moment; asked again, it may.
    Failed,
}

/// What is to be done about a system that Nix's database does not know, as on a machine whose
/// image was made without registering its store.
pub const NOT_REGISTERED: &str = "register what the image brought: nix-store --load-db < \
     /nix-path-registration there, where the image has that file; else \
     nixos-rebuild boot there, and a reboot";
