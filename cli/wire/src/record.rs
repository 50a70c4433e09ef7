//! The durable record of an attempt, at `/nix/var/deploy-agent/attempt.json`.
//!
//! It holds what finishing the attempt needs after the power went: the new
//! agent process reads nothing else. `deploy` reads it as well, before any
//! agent is on the machine.

use serde::{Deserialize, Serialize};

use crate::{
    attempt::{AttemptId, Login, Operator},
    machine::{BeforeActivate, Check, Confirm, Revision, RollBack, Timeouts, Units},
    message::Mode,
    outcome::{BootDefault, Outcome},
    phase::Phase,
    store_path::StorePath,
};

/// One attempt, from `stage` to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// [`crate::sealed::VERSION`] of who wrote it.
    pub version: u32,
    /// Its id.
    pub attempt: AttemptId,
    /// The machine's name in the flake.
    pub machine: String,
    /// Who makes it.
    pub operator: Operator,
    /// When it was staged, in seconds since 1970 on the machine's clock; for
    /// people only.
    pub since: u64,
    /// How far it goes.
    pub mode: Mode,
    /// The system that is wanted.
    pub wanted: StorePath,
    /// The system that ran at `stage`.
    pub ran: StorePath,
    /// What booted by default at `stage`.
    pub boots: BootDefault,
    /// The system profile at `stage`.
    pub profile: ProfileLink,
    /// The agent that runs it.
    pub agent: StorePath,
    /// The login that staged it; the confirming one must differ.
    pub login: Option<Login>,
    /// The flake's revision.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// What decides, from machine.json.
    pub rules: Rules,
    /// The boot that `deadline` counts in: the one in which it was staged, or
    /// in which it was taken up again after a restart.
    pub boot: Boot,
    /// Where it is.
    pub phase: Phase,
    /// When the present phase must be over.
    #[serde(default)]
    pub deadline: Option<Deadline>,
    /// Why it goes back, once it does.
    #[serde(default)]
    pub why: Option<String>,
    /// The login that confirmed it.
    #[serde(default)]
    pub confirmed_by: Option<Login>,
    /// The profile generation that the commit made, if it made one.
    #[serde(default)]
    pub made_generation: Option<u64>,
    /// Whether the machine was told to reboot, the last rung of the way back.
    #[serde(default)]
    pub rebooted: bool,
    /// How it ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
}

impl Record {
    /// Whether the attempt is still under way.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }
}

/// What decides in an attempt, copied from machine.json at `stage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// How units decide.
    pub units: Units,
    /// The declared checks.
    pub checks: Vec<Check>,
    /// How the confirmation goes.
    pub confirm: Confirm,
    /// Limits of the phases.
    pub timeouts: Timeouts,
    /// What going back means.
    pub rollback: RollBack,
    /// Commands before the switch.
    pub before_activate: Vec<BeforeActivate>,
}

/// The link `/nix/var/nix/profiles/system`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileLink {
    /// The generation that it names; null when there is no profile.
    #[serde(default)]
    pub generation: Option<u64>,
    /// The system in that generation.
    #[serde(default)]
    pub system: Option<StorePath>,
}

/// One boot of the machine. A soft-reboot keeps the kernel's boot id, so its
/// count belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Boot {
    /// `/proc/sys/kernel/random/boot_id`.
    pub id: String,
    /// systemd's `SoftRebootsCount`.
    pub soft_reboots: u64,
}

/// A moment on the boot clock, which neither a wrong nor a set wall clock moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deadline {
    /// Milliseconds of `CLOCK_BOOTTIME`.
    pub boottime_ms: u64,
}
