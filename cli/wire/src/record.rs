//! The durable record of an attempt, at `/nix/var/deploy-agent/attempt.json`.
//!
//! It holds what finishing the attempt needs after the power went: the new
//! agent process reads nothing else. `deploy` reads it as well, before any
//! agent is on the machine.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    attempt::{AttemptId, Login, Mode, Operator},
    machine::{BeforeActivate, Check, Confirm, Revision, RollBack, Timeouts, Units},
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
    /// Profiles besides the system, in the order in which they are activated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileChange>,
    /// Whether the system stays, and the profiles alone are deployed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub profiles_alone: bool,
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

/// How long an attempt may stay staged before the operator starts it.
const STAGED: Duration = Duration::from_secs(120);
/// How long starting the watchers may take.
const ARMING: Duration = Duration::from_secs(60);

impl Rules {
    /// How long a phase may take.
    pub fn limit(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Staged => Some(STAGED),
            Phase::Arming => Some(ARMING),
            Phase::Activating => Some(self.timeouts.activation()),
            Phase::Checking => Some(self.timeouts.check()),
            Phase::Waiting => Some(self.confirm.timeout()),
            // Profile and loader take as long as a switch on a slow disk.
            Phase::Committing => Some(self.timeouts.activation()),
            Phase::RollingBack | Phase::Rebooting => Some(self.timeouts.rollback()),
            Phase::Ended => None,
        }
    }

    /// How long an attempt that is in `phase` may take at most, over all phases that can follow,
    /// before it has ended by itself.
    pub fn longest(&self, phase: Phase) -> Duration {
        let phases = Phase::ALL.into_iter().filter(|later| *later >= phase);
        let comes = phases.filter(|later| self.rollback.reboot || *later != Phase::Rebooting);
        comes.filter_map(|phase| self.limit(phase)).sum()
    }
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

/// A profile besides the system, in an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileChange {
    /// Its name, as `home`.
    pub name: String,
    /// Who owns it, and whom its activation runs as.
    pub user: String,
    /// Its link; null until the system has made its user.
    #[serde(default)]
    pub link: Option<String>,
    /// What is to be activated.
    pub wanted: StorePath,
    /// What the link named at `stage`.
    pub before: ProfileGeneration,
    /// Whether link or activation may have been touched.
    #[serde(default)]
    pub begun: bool,
    /// The generation that the attempt made, if it made one.
    #[serde(default)]
    pub made_generation: Option<u64>,
}

impl fmt::Display for ProfileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile `{}` of {}", self.name, self.user)
    }
}

/// What the link of a profile names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileGeneration {
    /// The generation; null when there is no profile.
    #[serde(default)]
    pub number: Option<u64>,
    /// The store path in that generation.
    #[serde(default)]
    pub path: Option<StorePath>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_attempt_goes_through_every_phase() {
        let rules = Rules::default();
        let all: Duration = Phase::ALL.into_iter().filter_map(|phase| rules.limit(phase)).sum();
        assert_eq!(rules.longest(Phase::Staged), all);
        assert_eq!(all.as_secs(), 120 + 60 + 240 + 180 + 60 + 240 + 240 + 240);
        assert_eq!(rules.longest(Phase::Checking).as_secs(), 180 + 60 + 240 + 240 + 240);
        assert_eq!(rules.longest(Phase::Ended), Duration::ZERO);
        let stays = RollBack { reboot: false, ..RollBack::default() };
        let stays = Rules { rollback: stays, ..rules };
        assert_eq!(stays.longest(Phase::Staged).as_secs(), all.as_secs() - 240);
    }
}
