//! What people and scripts are shown of each end: in a pipe, as JSON, on a terminal.

use deploy_wire::{
    event::Event as Happened,
    machine::Confirm,
    message::{Mode, RefusalKind},
    phase::Phase,
};

use super::*;
use crate::report::{Event, NewLogin, shown};

const RECORD: &str = include_str!("../../../../wire/golden/message/record.json");

fn path(letter: char, name: &str) -> StorePath {
    let hash: String = std::iter::repeat_n(letter, 32).collect();
    StorePath::parse(&format!("/nix/store/{hash}-{name}")).unwrap()
}

fn before() -> StorePath {
    path('a', "nixos-system-frame1-26.05.1")
}

fn wanted() -> StorePath {
    path('b', "nixos-system-frame1-26.05.2")
}

/// An attempt on generation 41, which was confirmed.
fn record() -> Record {
    let mut record: Record = serde_json::from_str(RECORD).unwrap();
    record.machine = "frame1".into();
    record.attempt = AttemptId::parse("7f3a01c2").unwrap();
    record.mode = Mode::Switch;
    record.ran = before();
    record.wanted = wanted();
    record.boots = BootDefault::Known(before());
    record.profile.generation = Some(41);
    record.profile.system = Some(before());
    record.rules.confirm = Confirm::default();
    record
}

fn outcome(end: End, why: Option<&str>, system: StorePath, generation: Option<u64>) -> Conclusion {
    Conclusion::Known(Box::new(Outcome {
        end,
        why: why.map(Into::into),
        boots: BootDefault::Known(system.clone()),
        runs: Some(system),
        generation,
        notes: Vec::new(),
    }))
}

/// What is told before the end, so that a terminal has something that moves.
fn waiting() -> Vec<Event> {
    let agent = |event| Event::Agent { machine: "frame1".into(), event };
    let login = |login| Event::Login { machine: "frame1".into(), login };
    vec![
        agent(Happened::Switched { status: Some(0) }),
        agent(Happened::Phase { phase: Phase::Waiting, seconds_left: Some(60), why: None }),
        login(NewLogin::Begins),
        login(NewLogin::Over),
    ]
}

/// A snapshot of all that is shown of an end.
fn snapshot(name: &str, finished: impl Fn() -> Finished) {
    let events = || waiting().into_iter().chain([Event::Finished(finished())]).collect::<Vec<_>>();
    let last = [Event::Finished(finished())];
    let [_, live] = shown::live(&events(), 80);
    let [_, narrow] = shown::live(&last, 40);
    insta::assert_snapshot!(
        name,
        format!(
            "--- in a pipe\n{}--- on a terminal\n{live}\n--- on a narrow one\n{narrow}\n--- as JSON\n{}",
            shown::plain(&events()),
            shown::json(&last)
        )
    );
}

fn end(name: &str, record: Record, conclusion: impl Fn() -> Conclusion) {
    snapshot(name, || finished(&record, Some(&before()), conclusion()));
}

#[test]
fn committed() {
    end("committed", record(), || outcome(End::Committed, None, wanted(), Some(42)));
}

#[test]
fn committed_without_a_login_and_with_a_loader_that_cannot_be_read() {
    let mut record = record();
    record.rules.confirm.required = false;
    end("committed-unproved", record, || {
        Conclusion::Known(Box::new(Outcome {
            end: End::Committed,
            why: None,
            runs: Some(wanted()),
            boots: BootDefault::Unknown("no loader is known".into()),
            generation: Some(42),
            notes: vec!["no login confirmed it".into()],
        }))
    });
}

#[test]
fn up_to_date() {
    snapshot("up-to-date", || Finished {
        machine: "frame1".into(),
        ending: Ending::UpToDate,
        attempt: None,
        mode: Mode::Switch,
        confirmed: true,
        runs: Some(before().to_string()),
        boots: Some(BootDefault::Known(before())),
        generation: Some(41),
        notes: Vec::new(),
        failure: None,
    });
}

#[test]
fn refused_by_the_machine() {
    end("refused", record(), || {
        Conclusion::Refused(deploy_wire::message::Refusal {
            kind: RefusalKind::NoRoom,
            why: "/boot has 3 MiB free, and the kernel needs 14 MiB".into(),
            hint: Some("delete old generations on frame1: nix-collect-garbage -d".into()),
        })
    });
}

#[test]
fn rolled_back() {
    let why = "no new login confirmed it within 60 s";
    end("rolled-back", record(), || outcome(End::RolledBack, Some(why), before(), Some(41)));
}

#[test]
fn rolled_back_to_a_system_that_was_never_confirmed() {
    let mut record = record();
    record.profile.generation = None;
    snapshot("rolled-back-to-the-baseline", || {
        finished(&record, None, outcome(End::RolledBack, Some("a check fails"), before(), None))
    });
}

#[test]
fn taken_over() {
    let other = path('c', "nixos-system-frame1-26.05.3");
    let why = "nixos-rebuild-switch-to-configuration.service switched it";
    end("taken-over", record(), || outcome(End::TakenOver, Some(why), other.clone(), Some(43)));
}

#[test]
fn stranded() {
    end("stranded", record(), || {
        Conclusion::Known(Box::new(Outcome {
            end: End::Stranded,
            why: Some("going back failed: the system bus is gone".into()),
            runs: Some(wanted()),
            boots: BootDefault::Known(before()),
            generation: Some(41),
            notes: vec!["it reboots into what it boots by itself in 30 s".into()],
        }))
    });
}

#[test]
fn not_known() {
    let why = "ssh: connect to host frame1 port 22: No route to host";
    end("not-known", record(), || Conclusion::NotKnown(why.into()));
}
