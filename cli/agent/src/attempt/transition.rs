//! The state machine of an attempt. All transitions are here.
//!
//! `(state, event) -> (state, action)` is a pure function. The action follows from the state alone.
//! An agent that was killed and started again therefore continues the same work: it takes the
//! action of the state in the record.

use deploy_wire::{attempt::Mode, outcome::End, phase::Phase, record::Record};

/// The part of a record that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptState {
    pub mode: Mode,
    pub confirmation: Confirmation,
    /// The last resort when switching back fails.
    pub last_rung: LastRung,
    /// The changes that survive a restart of the machine.
    pub outlasting: Outlasting,
    /// The phase or end.
    pub place: PhaseOrEnd,
}

/// The changes before the confirmation that survive a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlasting {
    /// None: the system profile and the boot loader are set last.
    Nothing,
    /// Profiles besides the system. Their links are set before their activation.
    Profiles,
}

/// The state of the confirmation by a new login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The machine's description disables the confirmation.
    NotNeeded,
    /// The confirmation has not arrived.
    Missing,
    /// The confirmation has arrived.
    Given,
}

/// The last resort when switching back fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastRung {
    /// A reboot into the previous boot default.
    Reboot,
    /// None: the machine's description forbids the reboot, or it has been tried.
    Gone,
}

/// A phase in progress, or an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseOrEnd {
    /// The record and the roots exist; nothing was switched.
    Staged,
    /// The watchers are starting; nothing was switched.
    Arming,
    /// The machine switches to the wanted system.
    Activating,
    /// The agent watches units and declared checks.
    Checking,
    /// The agent waits for the confirmation of a new login.
    Waiting,
    /// The agent sets the profile and the boot loader.
    Committing,
    /// The machine rolls back to the previous system.
    RollingBack,
    /// The rollback failed, so the machine reboots into its previous boot default.
    Rebooting,
    /// The attempt has ended.
    Over(End),
}

/// The events of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The operator started the attempt.
    Start,
    /// Both watchers run.
    Armed,
    /// A watcher could not be started.
    NotArmed,
    /// The wanted system runs.
    Switched,
    /// The switch refused before it changed anything.
    SwitchRefused,
    /// The switch failed, perhaps half way.
    SwitchFailed,
    /// All units and checks are healthy.
    Passed,
    /// A unit or a check is not healthy.
    Broken,
    /// A new login confirmed the attempt.
    Confirmed,
    /// The operator cancelled the attempt.
    Cancelled,
    /// The phase's deadline has passed.
    DeadlinePassed,
    /// Another tool switched the machine.
    Foreign,
    /// The boot default is the wanted system, or cannot be determined.
    Committed,
    /// The wanted system could not be made the boot default.
    CommitFailed,
    /// The previous system runs again.
    WentBack,
    /// The previous system does not run, or nobody can log in to it.
    NotWentBack,
    /// A service that must not go back has started, so the new system stays.
    MustNotGoBack,
    /// The previous system runs again, but the profile or the boot loader could not be set back. A
    /// reboot would not start the previous system.
    NotSetBack,
    /// The machine could not be rebooted, or must not be.
    NotRebooted,
    /// The machine was restarted and now runs this system.
    Restarted(RunningSystem),
}

/// The running system, from an attempt's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunningSystem {
    /// The system that ran at `stage`, or the boot default at that time.
    Before,
    /// The wanted system.
    Wanted,
    /// Any other system.
    Other,
}

/// What the agent does in a state until the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing. The attempt waits for the operator, or has ended.
    Rest,
    /// Start the watchers.
    Arm,
    /// Switch to the wanted system.
    Activate,
    /// Watch units and checks until they can be judged.
    Check,
    /// Continue the checks until the confirmation arrives.
    AwaitConfirmation,
    /// Run every check once more.
    FinalRound,
    /// Make the wanted system the boot default.
    Commit,
    /// Switch to the previous system.
    RollBack,
    /// Reboot into the previous boot default.
    Reboot,
}

impl AttemptState {
    /// The state of a record.
    pub fn of(record: &Record) -> Self {
        let confirmation = match (&record.confirmed_by, record.rules.confirm.required) {
            (_, false) => Confirmation::NotNeeded,
            (None, true) => Confirmation::Missing,
            (Some(_), true) => Confirmation::Given,
        };
        let place = match (&record.outcome, record.phase) {
            (Some(outcome), _) => PhaseOrEnd::Over(outcome.end),
            (None, Phase::Staged) => PhaseOrEnd::Staged,
            (None, Phase::Arming) => PhaseOrEnd::Arming,
            (None, Phase::Activating) => PhaseOrEnd::Activating,
            (None, Phase::Checking) => PhaseOrEnd::Checking,
            (None, Phase::Waiting) => PhaseOrEnd::Waiting,
            (None, Phase::Committing) => PhaseOrEnd::Committing,
            (None, Phase::RollingBack) => PhaseOrEnd::RollingBack,
            (None, Phase::Rebooting) => PhaseOrEnd::Rebooting,
            // The outcome and the phase are written in one document, so one without the other means
            // damage.
            (None, Phase::Ended) => PhaseOrEnd::Over(End::Stranded),
        };
        let last_rung = match (record.rules.rollback.reboot, record.rebooted) {
            (true, false) => LastRung::Reboot,
            _ => LastRung::Gone,
        };
        // Without a system there is no boot default to set. The attempt ends as a `test` does.
        let mode = if record.profiles_alone { Mode::Test } else { record.mode };
        let outlasting = match record.profiles.is_empty() {
            true => Outlasting::Nothing,
            false => Outlasting::Profiles,
        };
        Self { mode, confirmation, last_rung, outlasting, place }
    }

    /// The action of this state.
    pub fn action(self) -> Action {
        match self.place {
            PhaseOrEnd::Staged | PhaseOrEnd::Over(_) => Action::Rest,
            PhaseOrEnd::Arming => Action::Arm,
            PhaseOrEnd::Activating => Action::Activate,
            PhaseOrEnd::Checking => Action::Check,
            PhaseOrEnd::Waiting if self.confirmation == Confirmation::Missing => {
                Action::AwaitConfirmation
            }
            PhaseOrEnd::Waiting => Action::FinalRound,
            PhaseOrEnd::Committing => Action::Commit,
            PhaseOrEnd::RollingBack => Action::RollBack,
            PhaseOrEnd::Rebooting => Action::Reboot,
        }
    }

    /// The state after an event; `None` if the event has no effect in this state.
    pub fn after(self, event: Event) -> Option<Self> {
        let confirmation = match (self.place, self.confirmation, event) {
            (PhaseOrEnd::Waiting, Confirmation::Missing, Event::Confirmed) => Confirmation::Given,
            (_, _, Event::Confirmed) => return None,
            _ => self.confirmation,
        };
        let place = self.next(event)?;
        // The reboot is tried once, because a machine must not reboot forever.
        let last_rung =
            if place == PhaseOrEnd::Rebooting { LastRung::Gone } else { self.last_rung };
        Some(Self { confirmation, last_rung, place, ..self })
    }

    fn next(self, event: Event) -> Option<PhaseOrEnd> {
        use Event as E;
        use PhaseOrEnd as P;
        let refused = P::Over(End::Refused);
        let place = match (self.place, event) {
            (P::Over(_), _) => return None,

            (P::Staged, E::Start) => P::Arming,
            (P::Staged | P::Arming, E::Cancelled | E::DeadlinePassed | E::Restarted(_)) => refused,
            (P::Staged | P::Arming, E::Foreign) => refused,
            (P::Arming, E::NotArmed) => refused,
            (P::Arming, E::Armed) if self.mode == Mode::Boot => P::Committing,
            (P::Arming, E::Armed) => P::Activating,

            (P::Activating, E::Switched) => P::Checking,
            (P::Activating, E::SwitchRefused) => refused,
            (P::Activating, E::SwitchFailed) => P::RollingBack,

            (P::Checking, E::Passed) if self.confirmation == Confirmation::Missing => P::Waiting,
            (P::Checking, E::Passed) => self.next_once_confirmed(),
            (P::Waiting, E::Confirmed) => P::Waiting,
            (P::Waiting, E::Passed) if self.confirmation != Confirmation::Missing => {
                self.next_once_confirmed()
            }
            (P::Checking | P::Waiting, E::Broken) => P::RollingBack,

            // The profile and the boot loader are untouched, so the machine boots its previous boot
            // default.
            (P::Activating | P::Checking | P::Waiting, E::Restarted(RunningSystem::Before)) => {
                self.restarted_before()
            }
            // A soft-reboot keeps /run, and with it the unconfirmed system.
            (P::Activating | P::Checking | P::Waiting, E::Restarted(RunningSystem::Wanted)) => {
                P::RollingBack
            }
            (P::Activating | P::Checking | P::Waiting, E::Cancelled | E::DeadlinePassed) => {
                P::RollingBack
            }

            (P::Committing, E::Committed) => P::Over(End::Committed),
            (P::Committing, E::CommitFailed | E::DeadlinePassed) => P::RollingBack,
            // The booted system shows whether the boot loader was already set.
            (P::Committing, E::Restarted(RunningSystem::Wanted)) => P::Committing,
            (P::Committing, E::Restarted(RunningSystem::Before)) => P::RollingBack,

            (P::RollingBack, E::WentBack) => P::Over(End::RolledBack),
            (P::RollingBack, E::NotWentBack | E::DeadlinePassed) => self.no_way_back(),
            (P::RollingBack, E::NotSetBack | E::MustNotGoBack) => P::Over(End::Stranded),
            (P::RollingBack, E::Restarted(RunningSystem::Before | RunningSystem::Wanted)) => {
                P::RollingBack
            }

            (P::Rebooting, E::Restarted(RunningSystem::Before)) => self.restarted_before(),
            // After a soft-reboot, or after somebody changed the boot loader, switching back may
            // work.
            (P::Rebooting, E::Restarted(RunningSystem::Wanted)) => P::RollingBack,
            (P::Rebooting, E::NotRebooted | E::DeadlinePassed) => P::Over(End::Stranded),

            (_, E::Foreign | E::Restarted(RunningSystem::Other)) => P::Over(End::TakenOver),
            _ => return None,
        };
        Some(place)
    }

    /// The machine was restarted into the previous system.
    fn restarted_before(self) -> PhaseOrEnd {
        match self.outlasting {
            Outlasting::Nothing => PhaseOrEnd::Over(End::RolledBack),
            Outlasting::Profiles => PhaseOrEnd::RollingBack,
        }
    }

    /// Switching to the previous system failed.
    fn no_way_back(self) -> PhaseOrEnd {
        match self.last_rung {
            LastRung::Reboot => PhaseOrEnd::Rebooting,
            LastRung::Gone => PhaseOrEnd::Over(End::Stranded),
        }
    }

    /// The phase after checks and confirmation: a `test` ends here, the other modes commit.
    fn next_once_confirmed(self) -> PhaseOrEnd {
        match self.mode {
            Mode::Test => PhaseOrEnd::Over(End::Committed),
            Mode::Switch | Mode::Boot => PhaseOrEnd::Committing,
        }
    }
}

impl Action {
    /// Whether the phase gets a new deadline when the agent resumes it after the old one. A commit
    /// and a rollback must not be left half done.
    pub fn begins_anew(self) -> bool {
        matches!(self, Self::Commit | Self::RollBack)
    }

    /// Whether a confirmation would arrive before there is anything to confirm.
    pub fn is_before_the_confirmation(self) -> bool {
        matches!(self, Self::Rest | Self::Arm | Self::Activate | Self::Check)
    }

    /// Whether the agent repeats a failed action until the deadline, because nothing comes after a
    /// rollback.
    pub fn is_tried_until_its_deadline(self) -> bool {
        self == Self::RollBack
    }

    /// The event that a failed action causes.
    pub fn failure(self) -> Option<Event> {
        match self {
            Self::Rest => None,
            Self::Arm => Some(Event::NotArmed),
            Self::Activate => Some(Event::SwitchFailed),
            Self::Check | Self::AwaitConfirmation | Self::FinalRound => Some(Event::Broken),
            Self::Commit => Some(Event::CommitFailed),
            Self::RollBack => Some(Event::NotWentBack),
            Self::Reboot => Some(Event::NotRebooted),
        }
    }
}

impl PhaseOrEnd {
    /// The phase as the record and people name it.
    pub fn phase(self) -> Phase {
        match self {
            Self::Staged => Phase::Staged,
            Self::Arming => Phase::Arming,
            Self::Activating => Phase::Activating,
            Self::Checking => Phase::Checking,
            Self::Waiting => Phase::Waiting,
            Self::Committing => Phase::Committing,
            Self::RollingBack => Phase::RollingBack,
            Self::Rebooting => Phase::Rebooting,
            Self::Over(_) => Phase::Ended,
        }
    }

    /// The end, if the attempt has ended.
    pub fn end(self) -> Option<End> {
        match self {
            Self::Over(end) => Some(end),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "transition_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "transition_table_tests.rs"]
mod table_tests;
