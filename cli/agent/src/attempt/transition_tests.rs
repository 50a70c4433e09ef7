use deploy_wire::{attempt::Mode, outcome::End};
use proptest::{prelude::*, test_runner::Config};

use super::*;

pub const EVENTS: [Event; 22] = [
    Event::Start,
    Event::Armed,
    Event::NotArmed,
    Event::Switched,
    Event::SwitchRefused,
    Event::SwitchFailed,
    Event::Passed,
    Event::Broken,
    Event::Confirmed,
    Event::Cancelled,
    Event::DeadlinePassed,
    Event::Foreign,
    Event::Committed,
    Event::CommitFailed,
    Event::WentBack,
    Event::NotWentBack,
    Event::NotSetBack,
    Event::MustNotGoBack,
    Event::NotRebooted,
    Event::Restarted(RunningSystem::Before),
    Event::Restarted(RunningSystem::Wanted),
    Event::Restarted(RunningSystem::Other),
];

fn beginnings() -> Vec<AttemptState> {
    let modes = [Mode::Switch, Mode::Test, Mode::Boot];
    let confirmations = [Confirmation::Missing, Confirmation::NotNeeded];
    let last_rungs = [LastRung::Reboot, LastRung::Gone];
    let all_outlasting = [Outlasting::Nothing, Outlasting::Profiles];
    modes
        .into_iter()
        .flat_map(|mode| confirmations.map(|confirmation| (mode, confirmation)))
        .flat_map(|(mode, confirmation)| last_rungs.map(|last| (mode, confirmation, last)))
        .flat_map(|(mode, confirmation, last)| {
            all_outlasting.map(|outlasting| (mode, confirmation, last, outlasting))
        })
        .map(|(mode, confirmation, last_rung, outlasting)| AttemptState {
            mode,
            confirmation,
            last_rung,
            outlasting,
            place: PhaseOrEnd::Staged,
        })
        .collect()
}

/// From here on only the machine's clock causes events. The attempt must end, after at most one
/// deadline for each of the three phases that can follow each other.
fn left_alone(mut state: AttemptState) -> End {
    for _ in 0..4 {
        if let Some(end) = state.place.end() {
            return end;
        }
        state = state.after(Event::DeadlinePassed).unwrap_or(state);
    }
    panic!("{state:?} does not end by itself");
}

/// The invariants of one step, from any state.
fn holds(before: AttemptState, event: Event) {
    let Some(after) = before.after(event) else { return };
    assert!(before.place.end().is_none(), "{event:?} moved the end {before:?}");
    assert_eq!(before.mode, after.mode);
    match after.place {
        PhaseOrEnd::Over(End::Refused) => assert!(
            matches!(before.place, PhaseOrEnd::Staged | PhaseOrEnd::Arming)
                || event == Event::SwitchRefused && before.place == PhaseOrEnd::Activating,
            "{before:?} was refused by {event:?} after something was switched"
        ),
        PhaseOrEnd::Over(End::Committed) => {
            let seen = before.place == PhaseOrEnd::Committing && event == Event::Committed;
            let test = after.mode == Mode::Test && event == Event::Passed;
            assert!(seen || test, "{before:?} was committed by {event:?}");
        }
        _ => {}
    }
    if after.place == PhaseOrEnd::Rebooting {
        assert_eq!(before.last_rung, LastRung::Reboot, "{before:?} {event:?} reboots again");
        assert_eq!(before.place, PhaseOrEnd::RollingBack, "the first rungs were not tried");
    }
    if after.place == PhaseOrEnd::Over(End::RolledBack) && before.outlasting == Outlasting::Profiles
    {
        assert_eq!(event, Event::WentBack, "{before:?} left its profiles as they are");
    }
    if before.last_rung == LastRung::Gone {
        assert_eq!(after.last_rung, LastRung::Gone, "{before:?} {event:?}");
    }
    let keeps = matches!(after.place, PhaseOrEnd::Committing | PhaseOrEnd::Over(End::Committed));
    if keeps && after.mode != Mode::Boot {
        assert_ne!(after.confirmation, Confirmation::Missing, "{before:?} {event:?}");
    }
}

/// Tries every order of up to `left` events. An event without an effect is not followed further,
/// because the events after it form a shorter order.
fn every_order(state: AttemptState, left: usize, orders: &mut usize) {
    *orders += 1;
    left_alone(state);
    if left == 0 {
        return;
    }
    for event in EVENTS {
        holds(state, event);
        if let Some(next) = state.after(event) {
            every_order(next, left - 1, orders);
        }
    }
}

#[test]
fn all_orders_up_to_six_events_end_in_exactly_one_end() {
    let mut orders = 0;
    for state in beginnings() {
        every_order(state, 6, &mut orders);
    }
    assert!(orders > 1_500, "only {orders} orders were tried");
}

fn random_orders(cases: u32) {
    let orders = proptest::collection::vec(0..EVENTS.len(), 0..40);
    let beginning = 0..beginnings().len();
    let config = Config { cases, ..Config::default() };
    proptest!(config, |(beginning in beginning, order in orders)| {
        let mut state = beginnings()[beginning];
        let mut end = None;
        for number in order {
            holds(state, EVENTS[number]);
            state = state.after(EVENTS[number]).unwrap_or(state);
            if end.is_some() {
                prop_assert_eq!(end, state.place.end(), "an end was left");
            }
            end = state.place.end();
        }
        left_alone(state);
    });
}

#[test]
fn random_orders_end_in_exactly_one_end() {
    random_orders(20_000);
}

#[test]
#[ignore = "left to scripts/soak: a million orders take minutes"]
fn a_million_random_orders_end_in_exactly_one_end() {
    random_orders(1_000_000);
}

fn walk(mode: Mode, confirmation: Confirmation, events: &[Event]) -> Vec<Action> {
    let (last_rung, outlasting) = (LastRung::Reboot, Outlasting::Nothing);
    let mut state =
        AttemptState { mode, confirmation, last_rung, outlasting, place: PhaseOrEnd::Staged };
    let mut actions = vec![];
    for event in events {
        state = state.after(*event).unwrap_or_else(|| panic!("{event:?} moves nothing"));
        actions.push(state.action());
    }
    actions
}

#[test]
fn the_straight_way_has_all_phases() {
    use Action as A;
    use Event as E;
    let events =
        [E::Start, E::Armed, E::Switched, E::Passed, E::Confirmed, E::Passed, E::Committed];
    assert_eq!(
        walk(Mode::Switch, Confirmation::Missing, &events),
        [A::Arm, A::Activate, A::Check, A::AwaitConfirmation, A::FinalRound, A::Commit, A::Rest]
    );
    assert_eq!(
        walk(Mode::Test, Confirmation::Missing, &events[..6]),
        [A::Arm, A::Activate, A::Check, A::AwaitConfirmation, A::FinalRound, A::Rest]
    );
    let events = [E::Start, E::Armed, E::Switched, E::Passed, E::Committed];
    assert_eq!(
        walk(Mode::Switch, Confirmation::NotNeeded, &events),
        [A::Arm, A::Activate, A::Check, A::Commit, A::Rest]
    );
    assert_eq!(
        walk(Mode::Boot, Confirmation::Missing, &[E::Start, E::Armed, E::Committed]),
        [A::Arm, A::Commit, A::Rest]
    );
}

#[test]
fn a_restart_is_judged_by_what_the_machine_then_runs() {
    let at = |place| AttemptState {
        mode: Mode::Switch,
        confirmation: Confirmation::Missing,
        last_rung: LastRung::Gone,
        outlasting: Outlasting::Nothing,
        place,
    };
    let after = |place, runs| at(place).after(Event::Restarted(runs)).unwrap().place;
    for place in [PhaseOrEnd::Activating, PhaseOrEnd::Checking, PhaseOrEnd::Waiting] {
        assert_eq!(after(place, RunningSystem::Before), PhaseOrEnd::Over(End::RolledBack));
        assert_eq!(after(place, RunningSystem::Wanted), PhaseOrEnd::RollingBack);
        assert_eq!(after(place, RunningSystem::Other), PhaseOrEnd::Over(End::TakenOver));
    }
    assert_eq!(after(PhaseOrEnd::Committing, RunningSystem::Wanted), PhaseOrEnd::Committing);
    assert_eq!(after(PhaseOrEnd::Committing, RunningSystem::Before), PhaseOrEnd::RollingBack);
    assert_eq!(after(PhaseOrEnd::RollingBack, RunningSystem::Wanted), PhaseOrEnd::RollingBack);
    assert_eq!(after(PhaseOrEnd::Staged, RunningSystem::Wanted), PhaseOrEnd::Over(End::Refused));
    assert_eq!(
        after(PhaseOrEnd::Rebooting, RunningSystem::Before),
        PhaseOrEnd::Over(End::RolledBack)
    );
    assert_eq!(after(PhaseOrEnd::Rebooting, RunningSystem::Wanted), PhaseOrEnd::RollingBack);
    assert_eq!(
        after(PhaseOrEnd::Rebooting, RunningSystem::Other),
        PhaseOrEnd::Over(End::TakenOver)
    );
}

#[test]
fn profiles_are_set_back_after_a_restart_too() {
    let at = |place| AttemptState {
        mode: Mode::Switch,
        confirmation: Confirmation::Missing,
        last_rung: LastRung::Gone,
        outlasting: Outlasting::Profiles,
        place,
    };
    for place in
        [PhaseOrEnd::Activating, PhaseOrEnd::Checking, PhaseOrEnd::Waiting, PhaseOrEnd::Rebooting]
    {
        for runs in [RunningSystem::Before, RunningSystem::Wanted] {
            let after = at(place).after(Event::Restarted(runs)).unwrap();
            assert_eq!(after.action(), Action::RollBack, "{place:?} {runs:?}");
        }
    }
    let before_the_switch =
        at(PhaseOrEnd::Staged).after(Event::Restarted(RunningSystem::Before)).unwrap();
    assert_eq!(before_the_switch.place, PhaseOrEnd::Over(End::Refused));
}

#[test]
fn the_last_rung_is_a_reboot_once_and_only_where_it_is_allowed() {
    use Event as E;
    let at = |last_rung, place| AttemptState {
        mode: Mode::Switch,
        confirmation: Confirmation::Missing,
        last_rung,
        outlasting: Outlasting::Nothing,
        place,
    };
    let stranded = PhaseOrEnd::Over(End::Stranded);
    let fails = |last_rung| at(last_rung, PhaseOrEnd::RollingBack).after(E::NotWentBack).unwrap();
    assert_eq!(fails(LastRung::Gone).place, stranded);
    let rebooting = fails(LastRung::Reboot);
    assert_eq!((rebooting.place, rebooting.action()), (PhaseOrEnd::Rebooting, Action::Reboot));
    assert_eq!(rebooting.after(E::DeadlinePassed).unwrap().place, stranded);
    assert_eq!(rebooting.after(E::NotRebooted).unwrap().place, stranded);
    assert_eq!(rebooting.after(E::Cancelled), None);
    let again = rebooting.after(E::Restarted(RunningSystem::Wanted)).unwrap();
    assert_eq!(again.after(E::NotWentBack).unwrap().place, stranded);
    for stays in [E::NotSetBack, E::MustNotGoBack] {
        let after = at(LastRung::Reboot, PhaseOrEnd::RollingBack).after(stays).unwrap();
        assert_eq!(after.place, stranded, "{stays:?}");
    }
}
