//! The output of a deploy for people and scripts, from its first line to its end.

mod ends;
mod interrupted;
mod suspended;

use deploy_wire::{
    attempt::Mode, event::Event as Happened, machine::Confirm, message::RefusalKind, phase::Phase,
};

use super::*;
use crate::{
    outcome::exit_code,
    report::{Changes, Event, Moment, PackageChange, SecretChanges, Stage, Units, shown},
    tools::nix::log::Progress,
};

const RECORD: &str = include_str!("../../../../wire/golden/message/record.json");

const NOBODY: &str = "no new SSH login confirmed within 60 s";

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
    record.profiles = Vec::new();
    record
}

/// The report of the end of an attempt on [`record`].
fn told(conclusion: Conclusion) -> Finished {
    finished(&record(), Some(&before()), conclusion)
}

fn outcome(end: End, why: Option<&str>, system: StorePath, generation: Option<u64>) -> Outcome {
    Outcome {
        end,
        why: why.map(Into::into),
        boots: BootDefault::Known(system.clone()),
        runs: Some(system),
        generation,
        notes: Vec::new(),
    }
}

fn known(outcome: Outcome) -> Conclusion {
    Conclusion::Known(Box::new(outcome))
}

fn name() -> String {
    "frame1".into()
}

fn agent(event: Happened) -> Event {
    Event::Agent { machine: name(), event }
}

fn phase(phase: Phase, seconds_left: u64) -> Event {
    agent(Happened::Phase { phase, seconds_left: Some(seconds_left), why: None })
}

fn goes_back(why: &str) -> Event {
    let phase = Phase::RollingBack;
    agent(Happened::Phase { phase, seconds_left: Some(240), why: Some(why.into()) })
}

fn note(text: &str) -> Event {
    Event::Note { machine: name(), text: text.into() }
}

fn login() -> [Event; 2] {
    [Moment::Begins, Moment::Over].map(|login| Event::Login { machine: name(), login })
}

/// The events of a deploy until the login.
fn asked() -> Vec<Event> {
    vec![
        Event::Evaluating { flake: ".".into(), building: None },
        Event::Evaluated { machines: vec![name()], kept: false, milliseconds: 2310 },
        Event::Stage { machine: name(), stage: Stage::Ask },
    ]
}

/// The events until the agent takes the machine.
fn taken() -> Vec<Event> {
    let drv = "/nix/store/11111111111111111111111111111111-caddy-2.8.0.drv".to_owned();
    let changes = Changes {
        packages: vec![PackageChange {
            name: "caddy".into(),
            before: vec!["2.7.6".into()],
            after: vec!["2.8.0".into()],
        }],
        units: Units { changed: vec!["caddy.service".into()], ..Units::default() },
        secrets: SecretChanges::default(),
        reboot: Vec::new(),
        profiles: Vec::new(),
    };
    let mut events = asked();
    events.extend([
        Event::Stage { machine: name(), stage: Stage::Build },
        Event::Build { machine: name(), progress: Progress::Building(drv) },
        Event::Build { machine: name(), progress: Progress::Built { done: 1, expected: 1 } },
        Event::Stage { machine: name(), stage: Stage::Push },
        Event::Changes { machine: name(), changes },
        Event::Stage { machine: name(), stage: Stage::Take },
    ]);
    events
}

/// The events until the switch.
fn activating() -> Vec<Event> {
    let mut events = taken();
    events.extend([phase(Phase::Arming, 30), phase(Phase::Activating, 240)]);
    events.push(agent(Happened::Line { text: "restarting caddy.service".into() }));
    events
}

/// The events until the checks.
fn checking() -> Vec<Event> {
    let mut events = activating();
    events.extend([agent(Happened::Switched { status: Some(0) }), phase(Phase::Checking, 180)]);
    events
}

/// The events until a login has to confirm.
fn waiting() -> Vec<Event> {
    let mut events = checking();
    let (name, detail) = ("caddy".into(), "status 200".into());
    let check = Happened::Check { name, passes: true, detail };
    events.extend([agent(check), phase(Phase::Waiting, 60)]);
    events
}

/// The events until the confirmation.
fn committing() -> Vec<Event> {
    let mut events = waiting();
    events.extend(login());
    events.push(phase(Phase::Committing, 240));
    events
}

/// Adds the end of the attempt to `events`.
fn ended(mut events: Vec<Event>, finished: Finished) -> Vec<Event> {
    let (machine, ending) = (finished.machine.clone(), finished.ending);
    let code = exit_code(&[ending]);
    events.push(Event::Finished(finished));
    events.push(Event::Ended { machines: vec![(machine, ending)], code });
    events
}

fn snapshot(name: &str, text: &str) {
    insta::assert_snapshot!(name, text);
}

/// A snapshot of each view, named after the end and the view.
fn snapshots(name: &str, events: &[Event]) {
    let [_, live] = shown::live(events, 80);
    let views = [("plain", shown::plain(events)), ("json", shown::json(events))];
    for (view, text) in views.into_iter().chain([("live", live.clone())]) {
        snapshot(&format!("{name}-{view}"), &text);
    }
    // The words alone must say what the colours say.
    let words = |text: String| text.replace(['<', '>'], "");
    assert_eq!(words(shown::live_without_colours(events, 80)), words(live), "{name}");
}
