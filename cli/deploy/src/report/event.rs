//! The events that the stages report.

use deploy_wire::{attempt::Mode, event::Event as Happened, message::Status, outcome::BootDefault};
use serde::Serialize;

use super::{Changes, SecretChanges, timings::MachineTimings};
use crate::{error::Failure, iso::flash::FlashStep, outcome::Ending, tools::nix::log::Progress};

/// A stage as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Logs in and asks.
    Ask,
    /// Builds the closure.
    Build,
    /// Pushes it.
    Push,
    /// Takes the machine.
    #[serde(rename = "stage")]
    Take,
}

/// How the bytes of a push that is compressed got to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// The bytes that were sent.
    pub on_the_wire: u64,
    /// The bytes that were not sent, because the machine has them in other paths.
    pub reused: u64,
}

/// One event. Events are reported in the order in which they happen.
#[derive(Debug, Clone)]
pub enum Event {
    /// A flake is being evaluated.
    Evaluating {
        /// The flake's reference.
        flake: String,
        /// The derivation that is being built for the evaluation, because the flake imports its
        /// output.
        building: Option<String>,
    },
    /// The flake's own checks are running.
    Checking {
        /// The flake's reference.
        flake: String,
    },
    /// A flake was evaluated.
    Evaluated {
        /// The selected machines.
        machines: Vec<String>,
        /// Whether a kept evaluation was used.
        kept: bool,
        /// The duration of the evaluation.
        milliseconds: u64,
    },
    /// The command is about all machines of the flake.
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
    /// A build made progress.
    Build {
        /// The machine.
        machine: String,
        /// How far the build is.
        progress: Progress,
    },
    /// A push made progress.
    Push {
        /// The machine.
        machine: String,
        /// How far the push is.
        progress: Progress,
        /// What became of them, where the push is compressed.
        carried: Option<Carried>,
    },
    /// A push makes no progress.
    Stalled {
        /// The machine.
        machine: String,
        /// For how many seconds.
        seconds: u64,
        /// Why.
        why: Standstill,
    },
    /// The changes that the deploy will make.
    Changes {
        /// The machine.
        machine: String,
        /// The changes.
        changes: Changes,
    },
    /// The plan of a machine.
    Plan {
        /// The machine.
        machine: String,
        /// The text for people.
        lines: Vec<String>,
    },
    /// The status of a machine.
    Status {
        /// The machine.
        machine: String,
        /// The text for people.
        lines: Vec<String>,
        /// The same for scripts.
        status: Box<Status>,
        /// What the flake's secrets differ in from those that run; none if that is not known.
        secrets: Option<SecretChanges>,
    },
    /// One line of a log.
    Log {
        /// The machine.
        machine: String,
        /// The line.
        line: String,
    },
    /// A new login begins or is over. Meanwhile `ssh` may ask on the terminal.
    Login {
        /// The machine.
        machine: String,
        /// Whether it begins or is over.
        login: Moment,
    },
    /// A question to the operator begins or is over.
    Question(Moment),
    /// The agent reports an event of the attempt.
    Agent {
        /// The machine.
        machine: String,
        /// The event.
        event: Happened,
    },
    /// A note.
    Note {
        /// The machine.
        machine: String,
        /// The note, in one line.
        text: String,
    },
    /// A warning.
    Warning {
        /// The machine; `None` if it is about the whole flake.
        machine: Option<String>,
        /// The warning, in one line.
        text: String,
    },
    /// The command is done with a machine.
    Finished(Finished),
    /// How long each part of the command took on a machine.
    Timings {
        /// The machine.
        machine: String,
        /// The parts.
        timings: MachineTimings,
    },
    /// The command failed before it asked any machine.
    Failed(Box<Failure>),
    /// One of several machines cannot be evaluated; the command goes on with the others.
    NotEvaluated {
        /// The machine.
        machine: String,
        /// The failure.
        failure: Box<Failure>,
    },
    /// A secret, and how its file stands to its rule.
    Secret(SecretShown),
    /// A key that rules name.
    Key(KeyShown),
    /// What came of secrets.
    SecretsDone {
        /// The one that it is about, if it is one.
        secret: Option<String>,
        /// One line.
        text: String,
    },
    /// An image was built, and is a file of its own.
    Image {
        /// The configuration's name.
        machine: String,
        /// The file.
        path: String,
        /// Its size.
        bytes: u64,
        /// Its SHA-256, in hexadecimal digits.
        sha256: String,
    },
    /// A disk that an image can be written to.
    Disk(DiskShown),
    /// A virtual machine of this computer.
    Vm(VmShown),
    /// An image is being written to a disk, or compared with what the disk has.
    Flash {
        /// The disk's file.
        device: String,
        /// What is being done.
        step: FlashStep,
        /// The bytes that are done.
        bytes: u64,
        /// The bytes of the image.
        expected: u64,
    },
    /// A disk has the image: it was read back.
    Flashed {
        /// The disk's file.
        device: String,
        /// The bytes of the image.
        bytes: u64,
    },
    /// A command that changes machines is over.
    Ended {
        /// Each machine, and how it ended.
        machines: Vec<(String, Ending)>,
        /// The exit code.
        code: u8,
    },
}

/// Why a push makes no progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standstill {
    /// The machine's Nix waits for a lock that another process holds.
    Lock(Holder),
    /// It waits for no lock.
    NotKnown,
    /// The user may not look for lock holders.
    NotAllowed,
    /// The machine did not answer.
    NoAnswer,
}

/// A process on a machine that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The process id.
    pub process: u32,
    /// The name of the program.
    pub program: String,
    /// The number of seconds that it has been running.
    pub seconds: Option<u64>,
    /// The address of the login that started it, if a login did.
    pub from: Option<String>,
}

/// A secret, as it is told.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretShown {
    /// Its name in the rules.
    pub name: String,
    /// Its file.
    pub file: String,
    /// The names of those who can read it, by the rules.
    pub readers: Vec<String>,
    /// How the file stands to them.
    #[serde(flatten)]
    pub state: SecretState,
    /// Whether some of them can be counted only: a file does not name them.
    pub counted_only: bool,
    /// The machines that use it; `None` where they were not asked for, or are not known.
    pub used_by: Option<Vec<UserShown>>,
}

/// A machine that uses a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserShown {
    /// The machine.
    pub machine: String,
    /// Its services that read the secret; none where nothing says so.
    pub services: Vec<String>,
}

/// How a secret's file stands to its rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum SecretState {
    /// Nobody has made it yet.
    Missing,
    /// It is encrypted to those of the rule.
    AsTheRule,
    /// It is encrypted to others.
    Differs {
        /// The readers of the rule that the file is not encrypted to.
        lacks: Vec<String>,
        /// The readers of the file that the rule does not name.
        unknown: Vec<String>,
        /// What differs in number.
        counted: Vec<String>,
    },
    /// It is no whole file of age's.
    Damaged {
        /// Why.
        why: String,
    },
}

/// A key of rules, as it is told.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyShown {
    /// Whose it is.
    pub name: String,
    /// The key.
    pub key: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The names of the secrets that it can read, by the rules.
    pub secrets: Vec<String>,
}

/// A virtual machine of this computer, as it is shown.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VmShown {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub is_on: bool,
    /// The ports that lead to it.
    pub ports: Vec<PortShown>,
    /// The memory of the last start in MiB.
    pub memory: Option<u32>,
    /// The processor cores of the last start.
    pub cores: Option<u32>,
    /// The system that it was started with, if it is on.
    pub booted: Option<String>,
    /// The system that it starts next.
    pub boots: Option<String>,
    /// Why that is not known.
    pub boots_not_known: Option<String>,
    /// Why it went off, if that was no shutdown.
    pub why: Option<String>,
    /// The file of its disk.
    pub disk: String,
    /// The bytes that the disk takes here.
    pub disk_bytes: u64,
}

/// A port of this computer that leads to a virtual machine.
#[derive(Debug, Clone, Serialize)]
pub struct PortShown {
    /// The port of 127.0.0.1.
    pub here: u16,
    /// The guest's port.
    pub guest: u16,
}

/// A disk, as it is shown.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskShown {
    /// Its file.
    pub device: String,
    /// What its manufacturer calls it.
    pub model: String,
    /// Its size.
    pub bytes: u64,
    /// What is on it.
    pub volumes: Vec<VolumeShown>,
}

/// A partition of a disk, or the file system of a whole disk.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeShown {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The kind of file system, if known.
    pub kind: Option<String>,
    /// The file system's name, if it has one.
    pub label: Option<String>,
    /// The folders that it is mounted at.
    pub mounted: Vec<String>,
}

/// A moment of a login or a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// It begins.
    Begins,
    /// It is over, whatever came of it.
    Over,
}

/// The end of the command on one machine.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The machine.
    pub machine: String,
    /// How it ended.
    pub ending: Ending,
    /// The attempt's id, if there was an attempt.
    pub attempt: Option<String>,
    /// The attempt's mode.
    pub mode: Mode,
    /// Whether a new login confirmed the system.
    pub confirmed: bool,
    /// The running system, if known.
    pub runs: Option<String>,
    /// The boot default, if known.
    pub boots: Option<BootDefault>,
    /// The profile generation.
    pub generation: Option<u64>,
    /// The other profiles that were deployed.
    pub profiles: Vec<String>,
    /// Whether only profiles were deployed, and the system stayed.
    pub profiles_alone: bool,
    /// Notes for the operator.
    pub notes: Vec<String>,
    /// The failure, if there is one.
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
