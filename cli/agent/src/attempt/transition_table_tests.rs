//! The complete transition table. An event that a phase does not list has no effect in it.

use deploy_wire::{attempt::Login, outcome::End, phase::Phase, record::Record};

use super::{tests::EVENTS, *};

const REFUSED: PhaseOrEnd = PhaseOrEnd::Over(End::Refused);
const COMMITTED: PhaseOrEnd = PhaseOrEnd::Over(End::Committed);
const ROLLED_BACK: PhaseOrEnd = PhaseOrEnd::Over(End::RolledBack);
const TAKEN_OVER: PhaseOrEnd = PhaseOrEnd::Over(End::TakenOver);
const STRANDED: PhaseOrEnd = PhaseOrEnd::Over(End::Stranded);

const BEFORE: Event = Event::Restarted(RunningSystem::Before);
const WANTED: Event = Event::Restarted(RunningSystem::Wanted);
const OTHER: Event = Event::Restarted(RunningSystem::Other);

/// A phase, and the target of each group of events that have an effect in it.
type PhaseRow = (PhaseOrEnd, &'static [(&'static [Event], PhaseOrEnd)]);

/// The table of an attempt with mode `switch`, a missing confirmation and no permission to reboot.
const TABLE: &[PhaseRow] = {
    use Event as E;
    use PhaseOrEnd as P;
    &[
        (
            P::Staged,
            &[
                (&[E::Start], P::Arming),
                (&[E::Cancelled, E::DeadlinePassed, E::Foreign], REFUSED),
                (&[BEFORE, WANTED, OTHER], REFUSED),
            ],
        ),
        (
            P::Arming,
            &[
                (&[E::Armed], P::Activating),
                (&[E::NotArmed, E::Cancelled, E::DeadlinePassed, E::Foreign], REFUSED),
                (&[BEFORE, WANTED, OTHER], REFUSED),
            ],
        ),
        (
            P::Activating,
            &[
                (&[E::Switched], P::Checking),
                (&[E::SwitchRefused], REFUSED),
                (&[E::SwitchFailed, E::Cancelled, E::DeadlinePassed, WANTED], P::RollingBack),
                (&[BEFORE], ROLLED_BACK),
                (&[E::Foreign, OTHER], TAKEN_OVER),
            ],
        ),
        (
            P::Checking,
            &[
                (&[E::Passed], P::Waiting),
                (&[E::Broken, E::Cancelled, E::DeadlinePassed, WANTED], P::RollingBack),
                (&[BEFORE], ROLLED_BACK),
                (&[E::Foreign, OTHER], TAKEN_OVER),
            ],
        ),
        (
            P::Waiting,
            &[
                (&[E::Confirmed], P::Waiting),
                (&[E::Broken, E::Cancelled, E::DeadlinePassed, WANTED], P::RollingBack),
                (&[BEFORE], ROLLED_BACK),
                (&[E::Foreign, OTHER], TAKEN_OVER),
            ],
        ),
        (
            P::Committing,
            &[
                (&[E::Committed], COMMITTED),
                (&[WANTED], P::Committing),
                (&[E::CommitFailed, E::DeadlinePassed, BEFORE], P::RollingBack),
                (&[E::Foreign, OTHER], TAKEN_OVER),
            ],
        ),
        (
            P::RollingBack,
            &[
                (&[E::WentBack], ROLLED_BACK),
                (&[BEFORE, WANTED], P::RollingBack),
                (&[E::NotWentBack, E::DeadlinePassed], STRANDED),
                (&[E::NotSetBack, E::MustNotGoBack], STRANDED),
                (&[E::Foreign, OTHER], TAKEN_OVER),
            ],
        ),
        (
            P::Rebooting,
            &[
                (&[BEFORE], ROLLED_BACK),
                (&[WANTED], P::RollingBack),
                (&[E::NotRebooted, E::DeadlinePassed], STRANDED),
                (&[E::Foreign, OTHER], TAKEN_OVER),
            ],
        ),
        (REFUSED, &[]),
        (COMMITTED, &[]),
        (ROLLED_BACK, &[]),
        (TAKEN_OVER, &[]),
        (STRANDED, &[]),
    ]
};

fn at(place: PhaseOrEnd) -> AttemptState {
    let (mode, confirmation) = (Mode::Switch, Confirmation::Missing);
    let outlasting = Outlasting::Nothing;
    AttemptState { mode, confirmation, last_rung: LastRung::Gone, outlasting, place }
}

#[test]
fn each_event_does_in_each_phase_what_the_table_says_and_nothing_else() {
    for (place, row) in TABLE {
        for event in EVENTS {
            let to = row.iter().find(|(events, _)| events.contains(&event)).map(|(_, to)| *to);
            let after = at(*place).after(event).map(|state| state.place);
            assert_eq!(after, to, "{event:?} in {place:?}");
        }
    }
}

/// With profiles besides the system, only a restart has another effect.
#[test]
fn profiles_change_what_a_restart_does_and_nothing_else() {
    for (place, row) in TABLE {
        for event in EVENTS {
            let to = row.iter().find(|(events, _)| events.contains(&event)).map(|(_, to)| *to);
            let to = if event == BEFORE && to == Some(ROLLED_BACK) {
                Some(PhaseOrEnd::RollingBack)
            } else {
                to
            };
            let state = AttemptState { outlasting: Outlasting::Profiles, ..at(*place) };
            let after = state.after(event).map(|state| state.place);
            assert_eq!(after, to, "{event:?} in {place:?}");
        }
    }
}

#[test]
fn a_confirmation_counts_once_and_only_where_it_is_missing() {
    let waits = at(PhaseOrEnd::Waiting);
    let given = waits.after(Event::Confirmed).unwrap();
    assert_eq!((given.confirmation, given.action()), (Confirmation::Given, Action::FinalRound));
    assert_eq!(given.after(Event::Confirmed), None);
    assert_eq!(given.after(Event::Passed).unwrap().place, PhaseOrEnd::Committing);
    let needs_none = AttemptState { confirmation: Confirmation::NotNeeded, ..waits };
    assert_eq!(needs_none.after(Event::Confirmed), None);
    assert_eq!(needs_none.after(Event::Passed).unwrap().place, PhaseOrEnd::Committing);
}

#[test]
fn the_last_rung_is_there_until_it_is_taken() {
    let mut state = AttemptState { last_rung: LastRung::Reboot, ..at(PhaseOrEnd::Staged) };
    for event in [Event::Start, Event::Armed, Event::SwitchFailed] {
        state = state.after(event).unwrap();
        assert_eq!(state.last_rung, LastRung::Reboot, "{event:?} takes it");
    }
    state = state.after(Event::DeadlinePassed).unwrap();
    assert_eq!((state.place, state.last_rung), (PhaseOrEnd::Rebooting, LastRung::Gone));
}

#[test]
fn what_could_not_be_done_is_an_event_of_its_phase() {
    let failure = |place| at(place).action().failure();
    assert_eq!(failure(PhaseOrEnd::Staged), None);
    assert_eq!(failure(STRANDED), None);
    for (place, event) in [
        (PhaseOrEnd::Arming, Event::NotArmed),
        (PhaseOrEnd::Activating, Event::SwitchFailed),
        (PhaseOrEnd::Checking, Event::Broken),
        (PhaseOrEnd::Waiting, Event::Broken),
        (PhaseOrEnd::Committing, Event::CommitFailed),
        (PhaseOrEnd::RollingBack, Event::NotWentBack),
        (PhaseOrEnd::Rebooting, Event::NotRebooted),
    ] {
        assert_eq!(failure(place), Some(event), "{place:?}");
        assert!(at(place).after(event).is_some(), "{event:?} means nothing in {place:?}");
    }
}

#[test]
fn commit_and_way_back_get_time_of_their_own_and_only_the_way_back_insists() {
    let all = [
        Action::Rest,
        Action::Arm,
        Action::Activate,
        Action::Check,
        Action::AwaitConfirmation,
        Action::FinalRound,
        Action::Commit,
        Action::RollBack,
        Action::Reboot,
    ];
    let those = |holds: fn(Action) -> bool| all.into_iter().filter(move |action| holds(*action));
    assert!(those(Action::begins_anew).eq([Action::Commit, Action::RollBack]));
    assert!(those(Action::is_tried_until_its_deadline).eq([Action::RollBack]));
    let early = those(Action::is_before_the_confirmation);
    assert!(early.eq([Action::Rest, Action::Arm, Action::Activate, Action::Check]));
}

fn golden() -> Record {
    let text = include_str!("../../../wire/golden/message/record.json");
    let record: Record = serde_json::from_str(text).unwrap();
    Record { outcome: None, confirmed_by: None, rebooted: false, ..record }
}

#[test]
fn the_state_of_a_record_is_its_phase_or_its_end() {
    let record = golden();
    for phase in [
        Phase::Staged,
        Phase::Arming,
        Phase::Activating,
        Phase::Checking,
        Phase::Waiting,
        Phase::Committing,
        Phase::RollingBack,
        Phase::Rebooting,
    ] {
        let place = AttemptState::of(&Record { phase, ..record.clone() }).place;
        assert_eq!((place.phase(), place.end()), (phase, None));
    }
    // An end without an outcome means damage.
    let ended = Record { phase: Phase::Ended, ..record };
    assert_eq!(AttemptState::of(&ended).place, STRANDED);
    assert_eq!((STRANDED.phase(), STRANDED.end()), (Phase::Ended, Some(End::Stranded)));
}

#[test]
fn the_state_of_a_record_knows_its_confirmation_and_its_last_rung() {
    let login = Login { client: "a".into(), client_port: 1, server: "b".into(), server_port: 22 };
    let state = |required: bool, login: Option<&Login>, reboot: bool, rebooted: bool| {
        let mut record = Record { confirmed_by: login.cloned(), rebooted, ..golden() };
        record.rules.confirm.required = required;
        record.rules.rollback.reboot = reboot;
        AttemptState::of(&record)
    };
    let confirmation = |required, login| state(required, login, true, false).confirmation;
    assert_eq!(confirmation(true, None), Confirmation::Missing);
    assert_eq!(confirmation(true, Some(&login)), Confirmation::Given);
    assert_eq!(confirmation(false, None), Confirmation::NotNeeded);
    let last_rung = |reboot, rebooted| state(true, None, reboot, rebooted).last_rung;
    assert_eq!(last_rung(true, false), LastRung::Reboot);
    for (reboot, rebooted) in [(true, true), (false, false), (false, true)] {
        assert_eq!(last_rung(reboot, rebooted), LastRung::Gone);
    }
}

#[test]
fn the_state_of_a_record_knows_its_profiles() {
    let record = golden();
    assert_eq!(AttemptState::of(&record).outlasting, Outlasting::Profiles);
    assert_eq!(AttemptState::of(&record).mode, Mode::Switch);
    let alone = Record { profiles_alone: true, ..record.clone() };
    assert_eq!(AttemptState::of(&alone).mode, Mode::Test, "it would set the boot default");
    let none = Record { profiles: Vec::new(), ..record };
    assert_eq!(AttemptState::of(&none).outlasting, Outlasting::Nothing);
}
