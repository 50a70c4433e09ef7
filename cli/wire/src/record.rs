//! The durable record of an attempt, at `/nix/var/deploy-agent/attempt.json`.
//!
//! After a power cut the agent finishes the attempt from this record alone, so it holds all that
//! this needs. `deploy` reads it as well, before an agent is on the machine.

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
    /// The [`crate::sealed::VERSION`] that the record was written with.
    pub version: u32,
    /// The attempt's id.
    pub attempt: AttemptId,
    /// The machine's name in the flake.
    pub machine: String,
    /// The person who makes the attempt.
    pub operator: Operator,
    /// Seconds since 1970 on the machine's clock at `stage`. They are shown to people and decide
    /// nothing.
    pub since: u64,
    /// How far the attempt goes.
    pub mode: Mode,
    /// The wanted system.
    pub wanted: StorePath,
    /// The running system at `stage`.
    pub ran: StorePath,
    /// The boot default at `stage`.
    pub boots: BootDefault,
    /// The system profile at `stage`.
    pub profile: ProfileLink,
    /// The profiles besides the system, in the order of their activation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileChange>,
    /// Whether only profiles are deployed and the system stays as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub profiles_alone: bool,
    /// The agent that runs the attempt.
    pub agent: StorePath,
    /// The login that staged the attempt. The confirming login must be another one.
    pub login: Option<Login>,
    /// The flake's revision.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// The rules from machine.json that decide over the attempt.
    pub rules: Rules,
    /// The boot that `deadline` belongs to: the boot in which the attempt was staged, or resumed
    /// after a restart.
    pub boot: Boot,
    /// The present phase.
    pub phase: Phase,
    /// The deadline of the present phase.
    #[serde(default)]
    pub deadline: Option<Deadline>,
    /// The reason for the rollback, once there is one.
    #[serde(default)]
    pub why: Option<String>,
    /// The login that confirmed the attempt.
    #[serde(default)]
    pub confirmed_by: Option<Login>,
    /// The profile generation that the commit made, if any.
    #[serde(default)]
    pub made_generation: Option<u64>,
    /// Whether the agent has told the machine to reboot, which is the last step of the rollback.
    #[serde(default)]
    pub rebooted: bool,
    /// How the attempt ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
}

impl Record {
    /// Whether the attempt is still under way.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }
}

/// The rules that decide over an attempt, copied from machine.json at `stage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// How units decide over a deploy.
    pub units: Units,
    /// The declared checks.
    pub checks: Vec<Check>,
    /// How the confirmation arrives.
    pub confirm: Confirm,
    /// The limits of the phases.
    pub timeouts: Timeouts,
    /// How the machine rolls back.
    pub rollback: RollBack,
    /// The commands to run before the switch.
    pub before_activate: Vec<BeforeActivate>,
}

/// How long an attempt may stay staged until the operator starts it.
const STAGED: Duration = Duration::from_secs(120);
/// How long the watchers may take to start.
const ARMING: Duration = Duration::from_secs(60);

impl Rules {
    /// The limit of a phase.
    pub fn limit(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Staged => Some(STAGED),
            Phase::Arming => Some(ARMING),
            Phase::Activating => Some(self.timeouts.activation()),
            Phase::Checking => Some(self.timeouts.check()),
            Phase::Waiting => Some(self.confirm.timeout()),
            // Writing the profile and the loader takes as long as a switch on a slow disk.
            Phase::Committing => Some(self.timeouts.activation()),
            Phase::RollingBack | Phase::Rebooting => Some(self.timeouts.rollback()),
            Phase::Ended => None,
        }
    }

    /// The longest time that an attempt in `phase` may take until it ends on its own, over all
    /// phases that can follow.
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
    /// The generation that the link names; null without a profile.
    #[serde(default)]
    pub generation: Option<u64>,
    /// The system of that generation.
    #[serde(default)]
    pub system: Option<StorePath>,
}

/// A profile besides the system, as part of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileChange {
    /// The profile's name, as `home`.
    pub name: String,
    /// The user who owns the profile. Its activation runs as this user.
    pub user: String,
    /// The profile's link; null until the new system has created the user.
    #[serde(default)]
    pub link: Option<String>,
    /// The store path to activate.
    pub wanted: StorePath,
    /// The generation that the link named at `stage`.
    pub before: ProfileGeneration,
    /// Whether the attempt may have touched the link or run the activation.
    #[serde(default)]
    pub begun: bool,
    /// The generation that the attempt made, if any.
    #[serde(default)]
    pub made_generation: Option<u64>,
}

impl fmt::Display for ProfileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile `{}` of {}", self.name, self.user)
    }
}

/// The generation that a profile's link names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileGeneration {
    /// The generation's number; null without a profile.
    #[serde(default)]
    pub number: Option<u64>,
    /// The store path of that generation.
    #[serde(default)]
    pub path: Option<StorePath>,
}

/// One boot of the machine. A soft-reboot keeps the kernel's boot id, so the number of soft-reboots
/// is part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Boot {
    /// `/proc/sys/kernel/random/boot_id`.
    pub id: String,
    /// systemd's `SoftRebootsCount`.
    pub soft_reboots: u64,
}

/// A moment on the boot clock. Neither a wrong nor a changed wall clock moves it.
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
