use std::sync::Barrier;

use deploy_wire::phase::Phase;

use super::*;

const GOLDEN: &str = include_str!("../../../wire/golden/message/record.json");

struct LedgerInFolder {
    _folder: tempfile::TempDir,
    ledger: Ledger,
    record: Record,
}

/// A ledger with the golden record, in the phase that waits for the confirmation.
fn waiting() -> LedgerInFolder {
    waiting_in(Phase::Waiting, u64::MAX)
}

fn waiting_in(phase: Phase, boottime_ms: u64) -> LedgerInFolder {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger { folder: folder.path().join("nix"), volatile: folder.path().join("run") };
    let mut record: Record = serde_json::from_str(GOLDEN).unwrap();
    record.phase = phase;
    record.deadline = Some(deploy_wire::record::Deadline { boottime_ms });
    record.confirmed_by = None;
    record.outcome = None;
    let units = Snapshot {
        boot: record.boot.clone(),
        at_us: 0,
        jobs: Vec::new(),
        units: Default::default(),
    };
    ledger.begin(&record, &units).unwrap();
    LedgerInFolder { _folder: folder, ledger, record }
}

impl LedgerInFolder {
    fn offer(&self, event: Event) -> Option<Record> {
        self.ledger.offer(&self.record, &self.record.boot, event.into(), |_| {}).unwrap()
    }
}

#[test]
fn of_two_that_race_at_the_deadline_exactly_one_is_taken() {
    for _ in 0..50 {
        let kept = waiting();
        let start = Barrier::new(2);
        let offer = |event| {
            start.wait();
            kept.offer(event).is_some()
        };
        let (late, cancelled) = std::thread::scope(|scope| {
            let late = scope.spawn(|| offer(Event::DeadlinePassed));
            let cancelled = scope.spawn(|| offer(Event::Cancelled));
            (late.join().unwrap(), cancelled.join().unwrap())
        });
        assert!(late != cancelled, "both or none of them moved the attempt");
        assert_eq!(kept.ledger.record().unwrap().unwrap().phase, Phase::RollingBack);
    }
}

#[test]
fn a_confirmation_is_kept_and_does_not_move_the_deadline_by_itself() {
    let kept = waiting();
    let record = kept.offer(Event::Confirmed).unwrap();
    assert_eq!((record.phase, record.deadline), (Phase::Waiting, kept.record.deadline));
}

#[test]
fn an_attempt_that_is_over_is_found_after_the_next_one_began() {
    let kept = waiting();
    kept.offer(Event::Foreign).unwrap();
    assert_eq!(kept.offer(Event::DeadlinePassed), None);
    let next = Record {
        attempt: AttemptId::parse("00000001").unwrap(),
        outcome: None,
        ..kept.record.clone()
    };
    let units =
        Snapshot { boot: next.boot.clone(), at_us: 0, jobs: Vec::new(), units: Default::default() };
    kept.ledger.begin(&next, &units).unwrap();
    let found = kept.ledger.find(&kept.record.attempt).unwrap().unwrap();
    assert_eq!(found.outcome.unwrap().end, End::TakenOver);
    assert_eq!(kept.ledger.record().unwrap().unwrap().attempt, next.attempt);
}

#[test]
fn only_the_last_ended_attempts_are_kept() {
    let kept = waiting();
    for number in 0..KEPT + 5 {
        let attempt = AttemptId::parse(&format!("{number:08x}")).unwrap();
        let told = Events::in_folder(&kept.ledger.volatile.join(attempt.as_str()));
        told.tell(&Told::Note { text: "told".into() });
        kept.ledger.archive(&Record { attempt, ..kept.record.clone() }).unwrap();
    }
    for folder in [kept.ledger.path("attempts"), kept.ledger.volatile.clone()] {
        assert_eq!(fs::read_dir(folder).unwrap().count(), KEPT);
    }
}

#[test]
fn what_comes_after_the_deadline_keeps_nothing() {
    for (phase, event) in [
        (Phase::Activating, Event::Switched),
        (Phase::Checking, Event::Passed),
        (Phase::Waiting, Event::Confirmed),
    ] {
        for (deadline, must_go_back) in [(0, true), (u64::MAX, false)] {
            let kept = waiting_in(phase, deadline);
            let change = |record: &mut Record| record.confirmed_by = kept.record.login.clone();
            let ledger = &kept.ledger;
            let now = ledger.offer(&kept.record, &kept.record.boot, event.into(), change);
            let now = now.unwrap().expect("it moves");
            assert_eq!(now.phase == Phase::RollingBack, must_go_back, "{event:?}: {now:?}");
            assert_eq!(
                now.why.is_some_and(|why| why.ends_with("after the deadline")),
                must_go_back
            );
            assert_eq!(now.confirmed_by.is_none(), must_go_back, "{event:?}");
        }
    }
}
