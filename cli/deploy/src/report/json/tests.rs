//! Compares each kind of event with its golden file, and docs/json.md with the golden files.

use std::{collections::BTreeSet, path::Path};

use deploy_wire::{message::Reply, phase::Phase};

use super::*;
use crate::tools::agent::read_reply;
use crate::{
    iso::flash::FlashStep,
    outcome::Ending,
    report::{
        Carried, ChangedSecret, Changes, DiskShown, Format, Holder, KeyShown, Moment,
        PackageChange, PortShown, SecretChanges, SecretShown, SecretState, Stage, Standstill,
        Units, UserShown, VmShown, VolumeShown, timings::Part,
    },
};

const STATUS: &str = include_str!("../../../../wire/golden/message/reply-status.json");
const DOCUMENT: &str = include_str!("../../../../../docs/json.md");

fn golden(name: &str) -> String {
    let file = Path::new("golden").join(format!("{name}.json"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn failure() -> Box<Failure> {
    Failure::unchanged("frame1 was rolled back")
        .because("no new login confirmed it within 60 s")
        .state(State::Changed(
            "back on generation 41 (confirmed), which runs and boots; attempt 7f3a01c2 was not made a \
             generation"
                .into(),
        ))
        .hint(Some("deploy logs frame1 7f3a01c2".into()))
}

fn finished(ending: Ending) -> Event {
    let system = "/nix/store/11111111111111111111111111111111-nixos-system-frame1-26.05";
    let system = deploy_wire::store_path::StorePath::parse(system).unwrap();
    Event::Finished(Finished {
        machine: "frame1".into(),
        ending,
        attempt: Some("7f3a01c2".into()),
        mode: deploy_wire::attempt::Mode::Switch,
        confirmed: ending == Ending::Committed,
        runs: Some(system.to_string()),
        boots: Some(BootDefault::Known(system)),
        generation: Some(if ending == Ending::Committed { 42 } else { 41 }),
        profiles: vec!["profile `home` of joe".into()],
        profiles_alone: false,
        notes: vec!["advisory check metrics fails: no answer".into()],
        failure: (ending == Ending::RolledBack).then(failure),
    })
}

/// The golden file's name and an event of each kind. The `match` in [`kind`] does not compile if a
/// kind is missing.
fn all() -> Vec<(&'static str, Event)> {
    let name = || "frame1".to_owned();
    let Reply::Status(mut status) = read_reply(STATUS).unwrap() else { panic!() };
    // The record has its own golden files.
    status.attempt = None;
    let line = "building the system configuration...".to_owned();
    let drv = "/nix/store/11111111111111111111111111111111-caddy-2.8.0.drv".to_owned();
    let build = |progress| Event::Build { machine: name(), progress };
    let agent = |event| Event::Agent { machine: name(), event };
    use deploy_wire::event::Event as Happened;
    vec![
        ("evaluating", Event::Evaluating { flake: ".".into(), building: None }),
        (
            "evaluating-building",
            Event::Evaluating { flake: ".".into(), building: Some(drv.clone()) },
        ),
        ("checking", Event::Checking { flake: ".".into() }),
        ("evaluated", Event::Evaluated { machines: vec![name()], kept: false, milliseconds: 2310 }),
        ("machines", Event::Machines { machines: vec![(name(), "192.168.2.241".into())] }),
        ("stage", Event::Stage { machine: name(), stage: Stage::Ask }),
        ("build-building", build(Progress::Building(drv))),
        ("build-built", build(Progress::Built { done: 3, expected: 12 })),
        ("build-log", build(Progress::Log(line.clone()))),
        (
            "push",
            Event::Push {
                machine: name(),
                progress: Progress::Copied { bytes: 1 << 20, expected: 4 << 20 },
                carried: Some(Carried { on_the_wire: 400 << 10, reused: 512 << 10 }),
            },
        ),
        ("stalled", stalled(Standstill::Lock(holder()))),
        ("stalled-not-known", stalled(Standstill::NotKnown)),
        ("changes", Event::Changes { machine: name(), changes: changes() }),
        (
            "plan",
            Event::Plan {
                machine: name(),
                lines: vec!["up to date: nothing would be done".into()],
            },
        ),
        (
            "status",
            Event::Status {
                machine: name(),
                lines: Vec::new(),
                status,
                secrets: Some(secret_changes()),
            },
        ),
        ("log", Event::Log { machine: name(), line: line.clone() }),
        ("login", Event::Login { machine: name(), login: Moment::Begins }),
        ("question", Event::Question(Moment::Begins)),
        (
            "timings",
            Event::Timings {
                machine: name(),
                timings: MachineTimings {
                    spans: vec![Span {
                        part: Part::Evaluation,
                        from: Duration::from_millis(12),
                        took: Duration::from_millis(2310),
                    }],
                    until: Duration::from_millis(2350),
                },
            },
        ),
        (
            "agent-phase",
            agent(Happened::Phase { phase: Phase::Waiting, seconds_left: Some(60), why: None }),
        ),
        ("agent-line", agent(Happened::Line { text: "starting the following units".into() })),
        ("agent-switched", agent(Happened::Switched { status: Some(0) })),
        (
            "agent-check",
            agent(Happened::Check {
                name: "caddy".into(),
                passes: false,
                detail: "status 500, not 200".into(),
            }),
        ),
        (
            "agent-broken-unit",
            agent(Happened::BrokenUnit {
                unit: "caddy.service".into(),
                detail: "failed (exit-code)".into(),
            }),
        ),
        ("agent-note", agent(Happened::Note { text: "no login confirmed it".into() })),
        ("note", Event::Note { machine: name(), text: "Confirm user presence for key".into() }),
        (
            "warning",
            Event::Warning { machine: Some(name()), text: "unknown field `colour`".into() },
        ),
        ("finished-committed", finished(Ending::Committed)),
        ("finished-rolled-back", finished(Ending::RolledBack)),
        ("failed", Event::Failed(failure())),
        (
            "failed-machine",
            Event::NotEvaluated {
                machine: name(),
                failure: Failure::unchanged("frame1 cannot be evaluated")
                    .because("attribute 'x' missing"),
            },
        ),
        (
            "secret",
            Event::Secret(SecretShown {
                name: "grafana-secret-key.age".into(),
                file: "/fleet/secrets/grafana-secret-key.age".into(),
                readers: vec!["admin".into(), name()],
                state: SecretState::Differs {
                    lacks: vec![name()],
                    unknown: vec!["SHA256:x joe@laptop".into()],
                    counted: vec!["1 of age's own keys, where the rule has 2".into()],
                },
                counted_only: true,
                used_by: Some(vec![UserShown {
                    machine: name(),
                    services: vec!["grafana".into()],
                }]),
            }),
        ),
        (
            "secret-damaged",
            Event::Secret(SecretShown {
                name: "restic-password.age".into(),
                file: "/fleet/secrets/restic-password.age".into(),
                readers: vec!["admin".into(), name()],
                state: SecretState::Damaged { why: "it is no file of age's".into() },
                counted_only: false,
                used_by: None,
            }),
        ),
        (
            "key",
            Event::Key(KeyShown {
                name: name(),
                key: "ssh-ed25519 AAAA".into(),
                fingerprint: "SHA256:x".into(),
                secrets: vec!["restic-password.age".into()],
            }),
        ),
        (
            "secrets-done",
            Event::SecretsDone {
                secret: Some("restic-password.age".into()),
                text: "encrypted to admin, frame1".into(),
            },
        ),
        (
            "image",
            Event::Image {
                machine: "installer-iso".into(),
                path: "installer-iso.iso".into(),
                bytes: 1_234_567_168,
                sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            },
        ),
        (
            "disk",
            Event::Disk(DiskShown {
                device: "/dev/sdb".into(),
                model: "SanDisk Ultra".into(),
                bytes: 30_752_000_000,
                volumes: vec![VolumeShown {
                    name: "sdb1".into(),
                    bytes: 30_750_000_000,
                    kind: Some("vfat".into()),
                    label: Some("DATA".into()),
                    mounted: vec!["/media/data".into()],
                }],
            }),
        ),
        (
            "vm",
            Event::Vm(VmShown {
                name: "frame1-vm".into(),
                is_on: true,
                ports: vec![PortShown { here: 8443, guest: 443 }],
                memory: Some(4096),
                cores: Some(4),
                booted: Some("/nix/store/a-nixos".into()),
                boots: Some("/nix/store/b-nixos".into()),
                boots_not_known: None,
                why: None,
                disk: "/home/joe/.local/state/deploy/vm/frame1-vm/disk.qcow2".into(),
                disk_bytes: 1 << 30,
            }),
        ),
        (
            "flash",
            Event::Flash {
                device: "/dev/sdb".into(),
                step: FlashStep::Write,
                bytes: 4 << 20,
                expected: 1_234_567_168,
            },
        ),
        ("flashed", Event::Flashed { device: "/dev/sdb".into(), bytes: 1_234_567_168 }),
        ("ended", Event::Ended { machines: vec![(name(), Ending::RolledBack)], code: 3 }),
    ]
}

fn stalled(why: Standstill) -> Event {
    Event::Stalled { machine: "frame1".into(), seconds: 15, why }
}

fn holder() -> Holder {
    Holder {
        process: 4242,
        program: "nix-daemon".into(),
        seconds: Some(185),
        from: Some("192.168.2.20".into()),
    }
}

fn changes() -> Changes {
    Changes {
        packages: vec![PackageChange {
            name: "caddy".into(),
            before: vec!["2.7.6".into()],
            after: vec!["2.8.0".into()],
        }],
        units: Units { changed: vec!["caddy.service".into()], ..Units::default() },
        secrets: secret_changes(),
        reboot: vec!["kernel".into()],
        profiles: vec!["profile `home` of joe".into()],
    }
}

fn secret_changes() -> SecretChanges {
    SecretChanges {
        new: vec!["dns-token".into()],
        changed: vec![ChangedSecret {
            name: "restic-password".into(),
            restarts: vec!["restic.service".into()],
        }],
        removed: Vec::new(),
    }
}

/// The `event` field of the JSON document.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Evaluating { .. } => "evaluating",
        Event::Checking { .. } => "checking",
        Event::Evaluated { .. } => "evaluated",
        Event::Machines { .. } => "machines",
        Event::Stage { .. } => "stage",
        Event::Build { .. } => "build",
        Event::Push { .. } => "push",
        Event::Stalled { .. } => "stalled",
        Event::Changes { .. } => "changes",
        Event::Plan { .. } => "plan",
        Event::Status { .. } => "status",
        Event::Log { .. } => "log",
        Event::Login { .. } => "login",
        Event::Agent { .. } => "agent",
        Event::Note { .. } => "note",
        Event::Warning { .. } => "warning",
        Event::Question(_) => "question",
        Event::Timings { .. } => "timings",
        Event::Finished(_) => "finished",
        Event::Failed(_) | Event::NotEvaluated { .. } => "failed",
        Event::Secret(_) => "secret",
        Event::Key(_) => "key",
        Event::SecretsDone { .. } => "secretsDone",
        Event::Image { .. } => "image",
        Event::Disk(_) => "disk",
        Event::Vm(_) => "vm",
        Event::Flash { .. } => "flash",
        Event::Flashed { .. } => "flashed",
        Event::Ended { .. } => "ended",
    }
}

#[test]
fn every_kind_of_event_is_as_its_golden_file() {
    let kinds: BTreeSet<_> = all().iter().map(|(_, event)| kind(event)).collect();
    assert_eq!(kinds.len(), 29, "a kind has no golden file");
    for (name, event) in all() {
        let document = document(&event);
        assert_eq!(format!("{document}\n"), golden(name), "{name}");
        assert_eq!(document["event"], kind(&event));
    }
    let folder = Path::new("golden");
    assert_eq!(
        std::fs::read_dir(folder).unwrap().count(),
        all().len(),
        "a golden file is of nothing"
    );
}

#[test]
fn the_document_shows_every_golden_file() {
    for (name, _) in all() {
        let text = golden(name);
        assert!(DOCUMENT.contains(text.trim()), "docs/json.md does not show golden/{name}.json");
    }
}

#[test]
fn the_document_names_every_field() {
    for (name, event) in all() {
        let fields = |value: &Value| {
            value
                .as_object()
                .into_iter()
                .flat_map(serde_json::Map::keys)
                .cloned()
                .collect::<Vec<_>>()
        };
        let document = document(&event);
        for part in ["failure", "progress", "what", "changes", "holder"] {
            for field in fields(&document[part]).into_iter().chain(fields(&document)) {
                let named = format!("`{field}`");
                assert!(DOCUMENT.contains(&named), "docs/json.md does not name {named} of {name}");
            }
        }
    }
}

#[test]
fn a_build_is_counted_by_what_is_done_and_not_by_what_is_expected() {
    let built = |done, expected| Event::Build {
        machine: "frame1".into(),
        progress: Progress::Built { done, expected },
    };
    let begun = Event::Stage { machine: "frame1".into(), stage: Stage::Build };
    let mut events = vec![begun];
    events.extend((1..=150).map(|expected| built(0, expected)));
    events.extend([built(1, 150), built(1, 151), built(2, 151), built(151, 151)]);
    let (report, written) = crate::report::shown::report(Format::Json);
    events.into_iter().for_each(|event| report.tell(event));
    let written = written();
    let counts: Vec<&str> = written.lines().skip(1).collect();
    assert_eq!(counts.len(), 3, "{written}");
    assert!(counts[2].contains(r#"{"built":151,"expected":151}"#), "{written}");
}
