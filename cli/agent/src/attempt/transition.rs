//! The state machine of an attempt: the only place with transitions.
//!
//! `(state, event) -> (state, action)`, pure. The action follows from the state
//! alone, so an agent that was killed and comes back does what the one before
//! it was doing: it asks for the action of the state that the record holds.

use deploy_wire::{attempt::Mode, outcome::End, phase::Phase, record::Record};

/// What of a record decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptState {
    /// How far the attempt goes.
    pub mode: Mode,
    /// Whether a new login has confirmed it.
    pub confirmation: Confirmation,
    /// What is left when what ran cannot be switched back to.
    pub last_rung: LastRung,
    /// What a restart of the machine does not undo.
    pub outlasting: Outlasting,
    /// Where it is.
    pub place: PhaseOrEnd,
}

/// What an attempt changes before it is confirmed and a restart does not undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlasting {
    /// Nothing: system profile and boot loader are set last.
    Nothing,
    /// Profiles besides the system, whose links are set before they are activated.
    Profiles,
}

/// The confirmation by a new login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The machine's description does without.
    NotNeeded,
    /// It has to come.
    Missing,
    /// It came.
    Given,
}

/// What is left when what ran cannot be switched back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastRung {
    /// A reboot into what booted before.
    Reboot,
    /// Nothing: the machine's description forbids it, or it was taken.
    Gone,
}

/// Where an attempt is: a phase that is under way, or an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseOrEnd {
    /// Recorded and rooted; nothing was switched.
    Staged,
    /// The watchers are being started; nothing was switched.
    Arming,
    /// The wanted system is being switched to.
    Activating,
    /// Units and declared checks are watched.
    Checking,
    /// A new login has to confirm.
    Waiting,
    /// Profile and boot loader are being set.
    Committing,
    /// The machine goes back to what ran.
    RollingBack,
    /// It cannot, and is being rebooted into what booted before.
    Rebooting,
    /// It is over.
    Over(End),
}

/// What happens to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The operator starts it.
    Start,
    /// Both watchers are there.
    Armed,
    /// A watcher could not be started.
    NotArmed,
    /// The wanted system runs.
    Switched,
    /// The switch refused before it touched anything.
    SwitchRefused,
    /// The switch failed, perhaps half way.
    SwitchFailed,
    /// Units and checks are well.
    Passed,
    /// A unit or a check is not.
    Broken,
    /// A new login confirmed.
    Confirmed,
    /// The operator gives up.
    Cancelled,
    /// The phase's deadline has passed.
    DeadlinePassed,
    /// Another tool switched the machine.
    Foreign,
    /// The boot default was seen to be the wanted system, or cannot be told.
    Committed,
    /// The wanted system could not be made the boot default.
    CommitFailed,
    /// What ran before runs again.
    WentBack,
    /// It does not, or nobody can log in to it.
    NotWentBack,
    /// A service that must not go back has started: the new system stays.
    MustNotGoBack,
    /// What ran runs again, but profile or loader could not be set back: a
    /// reboot would not lead there.
    NotSetBack,
    /// The machine could not be rebooted, or must not be.
    NotRebooted,
    /// The machine was started anew, and this is what it runs.
    Restarted(RunningSystem),
}

/// What a machine runs, seen from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunningSystem {
    /// What ran at `stage`, or what then was the boot default.
    Before,
    /// What the attempt wants.
    Wanted,
    /// Neither.
    Other,
}

/// What the agent does in a state until an event comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it waits for the operator, or is over.
    Rest,
    /// Start the watchers.
    Arm,
    /// Switch to the wanted system.
    Activate,
    /// Watch units and checks until they can be judged.
    Check,
    /// Go on checking until the confirmation comes.
    AwaitConfirmation,
    /// Run every check once more.
    FinalRound,
    /// Make the wanted system the boot default.
    Commit,
    /// Switch to what ran before.
    RollBack,
    /// Reboot into what booted before.
    Reboot,
}

impl AttemptState {
    /// The state that a record holds.
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
            // Written as one document, so one without the other is damage.
            (None, Phase::Ended) => PhaseOrEnd::Over(End::Stranded),
        };
        let last_rung = match (record.rules.rollback.reboot, record.rebooted) {
            (true, false) => LastRung::Reboot,
            _ => LastRung::Gone,
        };
        // Without the system there is no boot default to set: it ends as a `test` does.
        let mode = if record.profiles_alone { Mode::Test } else { record.mode };
        let outlasting = match record.profiles.is_empty() {
            true => Outlasting::Nothing,
            false => Outlasting::Profiles,
        };
        Self { mode, confirmation, last_rung, outlasting, place }
    }

    /// What is to be done in this state.
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

    /// The state after an event; `None` if the event means nothing in this one,
    /// and the attempt stays where it is.
    pub fn after(self, event: Event) -> Option<Self> {
        let confirmation = match (self.place, self.confirmation, event) {
            (PhaseOrEnd::Waiting, Confirmation::Missing, Event::Confirmed) => Confirmation::Given,
            (_, _, Event::Confirmed) => return None,
            _ => self.confirmation,
        };
        let place = self.next(event)?;
        // Taken once: a machine must not reboot for ever.
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

            // Profile and loader are untouched so far, so what the machine
            // starts is what it started before.
            (P::Activating | P::Checking | P::Waiting, E::Restarted(RunningSystem::Before)) => {
                self.restarted_before()
            }
            // A soft-reboot keeps /run and with it the system that nobody
            // confirmed.
            (P::Activating | P::Checking | P::Waiting, E::Restarted(RunningSystem::Wanted)) => {
                P::RollingBack
            }
            (P::Activating | P::Checking | P::Waiting, E::Cancelled | E::DeadlinePassed) => {
                P::RollingBack
            }

            (P::Committing, E::Committed) => P::Over(End::Committed),
            (P::Committing, E::CommitFailed | E::DeadlinePassed) => P::RollingBack,
            // What booted decides: the loader had it, or had it not.
            (P::Committing, E::Restarted(RunningSystem::Wanted)) => P::Committing,
            (P::Committing, E::Restarted(RunningSystem::Before)) => P::RollingBack,

            (P::RollingBack, E::WentBack) => P::Over(End::RolledBack),
            (P::RollingBack, E::NotWentBack | E::DeadlinePassed) => self.no_way_back(),
            (P::RollingBack, E::NotSetBack | E::MustNotGoBack) => P::Over(End::Stranded),
            (P::RollingBack, E::Restarted(RunningSystem::Before | RunningSystem::Wanted)) => {
                P::RollingBack
            }

            (P::Rebooting, E::Restarted(RunningSystem::Before)) => self.restarted_before(),
            // A soft-reboot, or a loader that somebody set meanwhile: the first
            // rungs may hold now.
            (P::Rebooting, E::Restarted(RunningSystem::Wanted)) => P::RollingBack,
            (P::Rebooting, E::NotRebooted | E::DeadlinePassed) => P::Over(End::Stranded),

            (_, E::Foreign | E::Restarted(RunningSystem::Other)) => P::Over(End::TakenOver),
            _ => return None,
        };
        Some(place)
    }

    /// The machine was started anew, on what ran before.
    fn restarted_before(self) -> PhaseOrEnd {
        match self.outlasting {
            Outlasting::Nothing => PhaseOrEnd::Over(End::RolledBack),
            Outlasting::Profiles => PhaseOrEnd::RollingBack,
        }
    }

    /// What ran cannot be switched back to.
    fn no_way_back(self) -> PhaseOrEnd {
        match self.last_rung {
            LastRung::Reboot => PhaseOrEnd::Rebooting,
            LastRung::Gone => PhaseOrEnd::Over(End::Stranded),
        }
    }

    /// What follows once it is checked and confirmed: a `test` ends here, the others commit.
    fn next_once_confirmed(self) -> PhaseOrEnd {
        match self.mode {
            Mode::Test => PhaseOrEnd::Over(End::Committed),
            Mode::Switch | Mode::Boot => PhaseOrEnd::Committing,
        }
    }
}

impl Action {
    /// Whether it has time of its own when it is taken up after its deadline:
    /// what changes profile and loader, and the way back, is not left half done.
    pub fn begins_anew(self) -> bool {
        matches!(self, Self::Commit | Self::RollBack)
    }

    /// Whether a confirmation would come before there is anything to confirm.
    pub fn is_before_the_confirmation(self) -> bool {
        matches!(self, Self::Rest | Self::Arm | Self::Activate | Self::Check)
    }

    /// Whether it is tried again until its deadline when it could not be done:
    /// there is nothing after the way back.
    pub fn is_tried_until_its_deadline(self) -> bool {
        self == Self::RollBack
    }

    /// What it means for the attempt that an action could not be done.
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
    /// The phase that it is in people's and the record's words.
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

    /// The end, once it is over.
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
