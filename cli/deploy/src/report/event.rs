//! What the stages tell.

use deploy_wire::{attempt::Mode, event::Event as Happened, message::Status, outcome::BootDefault};
use serde::Serialize;

use super::Changes;
use crate::{error::Failure, outcome::Ending, tools::nix::log::Progress};

/// A stage, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Logging in and asking.
    Ask,
    /// Building the closure.
    Build,
    /// Sending it.
    Push,
    /// Taking the machine.
    #[serde(rename = "stage")]
    Take,
}

/// One thing to tell. The order is the order in which it happened.
#[derive(Debug)]
pub enum Event {
    /// A flake is being evaluated.
    Evaluating {
        /// Its reference.
        flake: String,
        /// A derivation that is built for it, because the flake imports what it makes.
        building: Option<String>,
    },
    /// Its own checks run.
    Checking {
        /// Its reference.
        flake: String,
    },
    /// It was evaluated.
    Evaluated {
        /// The chosen machines.
        machines: Vec<String>,
        /// Whether a kept evaluation was taken.
        kept: bool,
        /// How long it took.
        milliseconds: u64,
    },
    /// All machines of the flake are meant; these are they.
    Machines {
        /// Their names and addresses.
        machines: Vec<(String, String)>,
    },
    /// A stage began.
    Stage {
        /// The machine.
        machine: String,
        /// The stage.
        stage: Stage,
    },
    /// A build goes on.
    Build {
        /// The machine.
        machine: String,
        /// How far.
        progress: Progress,
    },
    /// A push goes on.
    Push {
        /// The machine.
        machine: String,
        /// How far.
        progress: Progress,
    },
    /// A push stands still.
    Stalled {
        /// The machine.
        machine: String,
        /// For how long.
        seconds: u64,
        /// Why.
        why: Standstill,
    },
    /// What the deploy will change, before it does.
    Changes {
        /// The machine.
        machine: String,
        /// What.
        changes: Changes,
    },
    /// What would be done with a machine.
    Plan {
        /// The machine.
        machine: String,
        /// Lines for people.
        lines: Vec<String>,
    },
    /// What a machine says of itself.
    Status {
        /// The machine.
        machine: String,
        /// Lines for people.
        lines: Vec<String>,
        /// The same for programs.
        status: Box<Status>,
    },
    /// One line of a log.
    Log {
        /// The machine.
        machine: String,
        /// The line.
        line: String,
    },
    /// A new login begins or is over: `ssh` may ask on the terminal meanwhile.
    Login {
        /// The machine.
        machine: String,
        /// Which of both.
        login: NewLogin,
    },
    /// Something happened on the machine.
    Agent {
        /// The machine.
        machine: String,
        /// What.
        event: Happened,
    },
    /// Something to know.
    Note {
        /// The machine.
        machine: String,
        /// One line.
        text: String,
    },
    /// Something to mend.
    Warning {
        /// The machine, or the flake as a whole.
        machine: Option<String>,
        /// One line.
        text: String,
    },
    /// A machine is done with.
    Finished(Finished),
    /// Something failed before any machine was asked.
    Failed(Box<Failure>),
    /// One machine of several cannot be evaluated; the others go on.
    NotEvaluated {
        /// The machine.
        machine: String,
        /// Why.
        failure: Box<Failure>,
    },
    /// A command that changes machines is over.
    Ended {
        /// Each machine, and how it ended.
        machines: Vec<(String, Ending)>,
        /// The exit code.
        code: u8,
    },
}

/// Why a push stands still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standstill {
    /// It waits for a lock of Nix.
    Lock(Holder),
    /// It waits for none.
    NotKnown,
    /// The user may not ask.
    NotAllowed,
    /// The machine did not say.
    NoAnswer,
}

/// A process on a machine that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its number.
    pub process: u32,
    /// Its name.
    pub program: String,
    /// How long it has been running.
    pub seconds: Option<u64>,
    /// Where the login came from that started it, if one did.
    pub from: Option<String>,
}

/// How far a new login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum NewLogin {
    /// It begins.
    Begins,
    /// It came about, or failed.
    Over,
}

/// How a machine ended, as it is told.
#[derive(Debug)]
pub struct Finished {
    /// The machine.
    pub machine: String,
    /// How.
    pub ending: Ending,
    /// The attempt, once there was one.
    pub attempt: Option<String>,
    /// How far it was to go.
    pub mode: Mode,
    /// Whether a new login confirmed what it is on.
    pub confirmed: bool,
    /// What runs there, as far as known.
    pub runs: Option<String>,
    /// What boots there, as far as known.
    pub boots: Option<BootDefault>,
    /// The profile generation.
    pub generation: Option<u64>,
    /// The profiles besides the system that it was about.
    pub profiles: Vec<String>,
    /// Whether it was about these alone, and the system stays.
    pub profiles_alone: bool,
    /// What people should know besides.
    pub notes: Vec<String>,
    /// The failure, unless it ended well.
    pub failure: Option<Box<Failure>>,
}

impl Finished {
    /// A machine that failed before anything was changed.
    pub fn failed(machine: String, failure: Box<Failure>) -> Self {
        Self {
            machine,
            ending: Ending::Unchanged,
            attempt: None,
            mode: Mode::Switch,
            confirmed: false,
            runs: None,
            boots: None,
            generation: None,
            profiles: Vec::new(),
            profiles_alone: false,
            notes: Vec::new(),
            failure: Some(failure),
        }
    }
}
