//! Each end and each exit code of a deploy of one machine.

use std::collections::BTreeSet;

use super::*;

/// A deploy with its end and its exit code.
struct Story {
    name: &'static str,
    code: u8,
    events: fn() -> Vec<Event>,
    finished: fn() -> Finished,
}

const STORIES: [Story; 16] = [
    Story { name: "up-to-date", code: 0, events: asked, finished: up_to_date },
    Story { name: "committed", code: 0, events: committing, finished: committed },
    Story { name: "committed-unproved", code: 0, events: unproved, finished: committed_unproved },
    Story { name: "committed-test", code: 0, events: waiting, finished: committed_test },
    Story { name: "committed-boot", code: 0, events: booting, finished: committed_boot },
    Story { name: "refused", code: 1, events: taken, finished: refused_by_the_machine },
    Story { name: "not-switched", code: 1, events: activating, finished: not_switched },
    Story { name: "unreachable", code: 1, events: asked, finished: unreachable },
    Story { name: "rolled-back-check", code: 3, events: broken, finished: rolled_back_check },
    Story { name: "rolled-back-no-login", code: 3, events: nobody, finished: rolled_back_no_login },
    Story { name: "rolled-back-baseline", code: 3, events: broken, finished: to_the_baseline },
    Story { name: "rolled-back-loader", code: 3, events: broken, finished: unread_loader },
    Story { name: "taken-over", code: 4, events: waiting, finished: taken_over },
    Story { name: "stranded", code: 5, events: no_way_back, finished: stranded },
    Story { name: "stranded-between", code: 5, events: no_way_back, finished: between },
    Story { name: "not-known", code: 5, events: out_of_reach, finished: not_known },
];

#[test]
fn every_end_in_every_view() {
    for Story { name, events, finished, .. } in STORIES {
        snapshots(name, &ended(events(), finished()));
    }
}

#[test]
fn every_end_has_a_story_and_every_exit_code() {
    let word = |ending| serde_json::to_string(&ending).unwrap();
    let of = |story: &Story| (story.finished)().ending;
    let told: BTreeSet<String> = STORIES.iter().map(|story| word(of(story))).collect();
    // `Looked` is left out, because nothing is activated then.
    let all: BTreeSet<String> = [
        Ending::UpToDate,
        Ending::Committed,
        Ending::Unchanged,
        Ending::RolledBack,
        Ending::TakenOver,
        Ending::Stranded,
        Ending::NotKnown,
    ]
    .map(word)
    .into();
    assert_eq!(told, all);
    for story in STORIES {
        assert_eq!(exit_code(&[of(&story)]), story.code, "{}", story.name);
    }
}

fn up_to_date() -> Finished {
    Finished {
        machine: name(),
        ending: Ending::UpToDate,
        attempt: None,
        mode: Mode::Switch,
        confirmed: true,
        runs: Some(before().to_string()),
        boots: Some(BootDefault::Known(before())),
        generation: Some(41),
        profiles: Vec::new(),
        profiles_alone: false,
        notes: Vec::new(),
        failure: None,
    }
}

fn committed() -> Finished {
    told(known(outcome(End::Committed, None, wanted(), Some(42))))
}

/// An attempt that no login has to confirm.
fn unproved() -> Vec<Event> {
    let mut events = checking();
    events.push(phase(Phase::Committing, 240));
    events
}

/// The same, with an unreadable boot loader.
fn committed_unproved() -> Finished {
    let mut record = record();
    record.rules.confirm.required = false;
    let outcome = Outcome {
        boots: BootDefault::Unknown("no loader is known".into()),
        notes: vec!["no login confirmed it".into()],
        ..outcome(End::Committed, None, wanted(), Some(42))
    };
    finished(&record, Some(&before()), known(outcome))
}

fn committed_test() -> Finished {
    let record = Record { mode: Mode::Test, ..record() };
    let outcome = Outcome {
        boots: BootDefault::Known(before()),
        ..outcome(End::Committed, None, wanted(), Some(41))
    };
    finished(&record, Some(&before()), known(outcome))
}

fn booting() -> Vec<Event> {
    let mut events = taken();
    events.extend([phase(Phase::Arming, 30), phase(Phase::Committing, 240)]);
    events
}

fn committed_boot() -> Finished {
    let record = Record { mode: Mode::Boot, ..record() };
    let outcome =
        Outcome { runs: Some(before()), ..outcome(End::Committed, None, wanted(), Some(42)) };
    finished(&record, Some(&before()), known(outcome))
}

fn refused_by_the_machine() -> Finished {
    told(Conclusion::Refused(deploy_wire::message::Refusal {
        kind: RefusalKind::NoRoom,
        why: "/boot has 3 MiB free, and the kernel needs 14 MiB".into(),
        hint: Some("delete old generations on frame1: nix-collect-garbage -d".into()),
    }))
}

fn not_switched() -> Finished {
    let why = "another switch holds the lock (status 11)";
    told(known(outcome(End::Refused, Some(why), before(), Some(41))))
}

fn unreachable() -> Finished {
    let failure = Failure::unchanged("cannot log in to frame1")
        .because("ssh: connect to host frame1 port 22: No route to host");
    Finished::failed(name(), failure)
}

const FAILS: &str = "check caddy fails: status 502, not 200";

fn broken() -> Vec<Event> {
    let (name, detail) = ("caddy".into(), "status 502, not 200".into());
    let mut events = checking();
    events.extend([agent(Happened::Check { name, passes: false, detail }), goes_back(FAILS)]);
    events
}

fn rolled_back_check() -> Finished {
    told(known(outcome(End::RolledBack, Some(FAILS), before(), Some(41))))
}

/// The new system's firewall rejects the login.
const NO_LOGIN: &str = "no new login at root@frame1: Connection timed out";

fn nobody() -> Vec<Event> {
    let mut events = waiting();
    events.extend(login());
    events.extend([note(NO_LOGIN), goes_back(NOBODY)]);
    events
}

fn rolled_back_no_login() -> Finished {
    told(known(outcome(End::RolledBack, Some(NOBODY), before(), Some(41))))
        .with_login(Some(NO_LOGIN.into()))
}

/// Nothing was confirmed on the machine before, and the previous system is not a generation.
fn to_the_baseline() -> Finished {
    let mut record = record();
    record.profile.generation = None;
    finished(&record, None, known(outcome(End::RolledBack, Some(FAILS), before(), None)))
}

fn unread_loader() -> Finished {
    told(known(Outcome {
        boots: BootDefault::Unknown("no boot loader file in /boot".into()),
        ..outcome(End::RolledBack, Some(FAILS), before(), Some(41))
    }))
}

fn taken_over() -> Finished {
    let other = path('c', "nixos-system-frame1-26.05.3");
    let why = "nixos-rebuild-switch-to-configuration.service switched it";
    told(known(outcome(End::TakenOver, Some(why), other, Some(43))))
}

const BUS: &str = "check caddy fails: status 502, not 200; the rollback: the system bus is gone";

fn no_way_back() -> Vec<Event> {
    let mut events = broken();
    let note = Happened::Note { text: "the rollback: it was killed".into() };
    events.push(agent(note));
    events
}

fn stranded() -> Finished {
    told(known(Outcome {
        boots: BootDefault::Known(before()),
        notes: vec!["caddy.service is failed".into()],
        ..outcome(End::Stranded, Some(BUS), wanted(), Some(41))
    }))
}

/// The running system is not known.
fn between() -> Finished {
    told(known(Outcome {
        runs: None,
        boots: BootDefault::Known(before()),
        ..outcome(End::Stranded, Some(BUS), wanted(), Some(41))
    }))
}

fn out_of_reach() -> Vec<Event> {
    let mut events = waiting();
    for _ in 0..2 {
        events.extend(login());
        events.push(note("no new login at root@frame1: No route to host"));
    }
    events
}

fn not_known() -> Finished {
    let why = "ssh: connect to host frame1 port 22: No route to host";
    told(Conclusion::NotKnown(why.into()))
}

#[test]
fn a_stranded_machine_is_said_to_be_on_what_runs_there() {
    let what = |system| {
        let told = told(known(outcome(End::Stranded, Some(BUS), system, Some(41))));
        told.failure.unwrap().what
    };
    assert!(what(wanted()).ends_with("the new system runs, but was not committed"));
    assert!(what(before()).ends_with("the previous system runs, but not everything is as it was"));
    assert!(what(path('c', "other")).ends_with("nor the previous one runs"));
}
