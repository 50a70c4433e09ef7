//! From what the machine said to what will be done. Pure.

use deploy_wire::{machine::Machine, message::Mode, record::Record};

use super::ask::Facts;
use crate::error::{Failure, Result};

/// What is to be done with a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// It runs and boots the wanted system, and that is confirmed. Where what boots cannot
    /// be told, that is left out.
    UpToDate,
    /// It is to be deployed to.
    Deploy,
    /// Another attempt has it.
    Busy(Box<Record>),
}

/// The name that the operator accepts for a machine that calls itself otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceptedName(pub Option<String>);

/// Decides, or refuses with the reason.
pub fn decide(
    machine: &Machine,
    facts: &Facts,
    mode: Mode,
    accepted: &AcceptedName,
) -> Result<Plan> {
    let refuse = |what: String| Failure::unchanged(what);
    let name = &machine.name;
    if facts.nix.is_none() {
        return Err(refuse(format!("{name} has no Nix"))
            .because("no `nix-daemon` is on root's PATH there")
            .hint(Some("a NixOS machine has one; is this the right machine?".into())));
    }
    match facts.system {
        Some(system) if system == machine.system => {}
        _ => {
            return Err(refuse(format!("the system for {name} is for another platform"))
                .because(format!(
                    "it is for {}, `uname -m` there says {}",
                    machine.system, facts.uname
                ))
                .hint(Some(format!("set nixpkgs.hostPlatform of {name} to what it is"))));
        }
    }
    right_machine(machine, facts, accepted)?;
    if facts.runs.is_none() {
        return Err(refuse(format!("{name} does not run NixOS"))
            .because("/run/current-system does not name a system there")
            .hint(Some(format!(
                "is it the right machine? deploy wants one that NixOS was installed on: {name}"
            ))));
    }
    if let Some(unit) = &facts.switching {
        return Err(refuse(format!("another tool is switching {name}"))
            .because(format!("{unit} is active"))
            .hint(Some("wait for it to end".into())));
    }
    let open = match &facts.attempt {
        Ok(attempt) => attempt.as_ref().filter(|record| record.is_open()),
        // The agent's to repair: it refuses or finishes what the record says.
        Err(_) => return Ok(Plan::Deploy),
    };
    if let Some(record) = open {
        let unit = format!("deploy-agent-{}.service", record.attempt);
        return Ok(if facts.watcher.as_ref() == Some(&unit) {
            Plan::Busy(Box::new(record.clone()))
        } else {
            Plan::Deploy
        });
    }
    Ok(match mode {
        Mode::Switch if is_up_to_date(facts) => Plan::UpToDate,
        _ => Plan::Deploy,
    })
}

/// An attempt and its operator.
pub fn whose(record: &Record) -> String {
    let operator = &record.operator;
    format!("attempt {} by {}@{}", record.attempt, operator.user, operator.host)
}

/// What a second operator is told.
pub fn busy(name: &str, record: &Record, now: u64) -> Box<Failure> {
    let seconds = now.saturating_sub(record.since);
    Failure::unchanged(format!("{name} is being deployed to"))
        .because(format!("{}, since {seconds} s, phase {}", whose(record), record.phase))
        .hint(Some("--wait waits for the end of it".into()))
}

/// Running, in the profile, booting, and confirmed; without a record what runs
/// is the baseline. A boot default that cannot be read does not count.
fn is_up_to_date(facts: &Facts) -> bool {
    let Some(wanted) = &facts.wanted else { return false };
    let confirmed = match &facts.confirmed {
        Ok(confirmed) => confirmed.as_ref().is_none_or(|confirmed| confirmed.toplevel == *wanted),
        Err(_) => false,
    };
    facts.runs.as_ref() == Some(wanted)
        && facts.profile.as_ref() == Some(wanted)
        && facts.boots.known().is_none_or(|boots| boots == wanted)
        && confirmed
}

/// A name in ssh_config or DNS that leads to another machine must not get this
/// one's system: `a-deploy-to-the-wrong-machine-is-refused` proves it.
fn right_machine(machine: &Machine, facts: &Facts, accepted: &AcceptedName) -> Result<()> {
    let name = &machine.name;
    let is_accepted = accepted.0.as_ref() == Some(&facts.host);
    let refuse = |what: String, cause: String| {
        Err(Failure::unchanged(what)
            .because(cause)
            .hint(Some(format!("if it is the right machine: --accept-name {}", facts.host))))
    };
    if let Ok(Some(confirmed)) = &facts.confirmed {
        return if confirmed.machine == *name || is_accepted {
            Ok(())
        } else {
            let other = &confirmed.machine;
            refuse(
                format!("this is not {name} but {other}"),
                format!("the record on it says that it was deployed to as `{other}`"),
            )
        };
    }
    match &machine.host_name {
        Some(wanted) if *wanted != facts.host && !is_accepted => refuse(
            format!("this is not {name}: it calls itself `{}`", facts.host),
            format!("the system for {name} is called `{wanted}`"),
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::ask::Facts;
    use deploy_wire::{machine::System, outcome::BootDefault, store_path::StorePath};
    use std::collections::BTreeMap;

    fn path(digit: char) -> StorePath {
        let hash: String = std::iter::repeat_n(digit, 32).collect();
        StorePath::parse(&format!("/nix/store/{hash}-nixos-system-frame1")).unwrap()
    }

    fn machine() -> Machine {
        Machine::from_json(serde_json::json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux", "hostName": "frame1",
            "toplevel": { "drv": "/nix/store/00000000000000000000000000000000-x.drv", "out": path('1').as_str() },
            "ssh": { "hostname": "frame1" },
        }))
        .unwrap()
    }

    fn facts() -> Facts {
        Facts {
            system: Some(System::X86_64Linux),
            uname: "x86_64".into(),
            host: "frame1".into(),
            machine_id: "1".into(),
            runs: Some(path('1')),
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
            watcher: None,
            booted_parts: BTreeMap::new(),
            attempt: Ok(None),
            confirmed: Ok(None),
        }
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
    fn the_wrong_machine_is_refused_unless_its_name_is_accepted() {
        let other = Facts { host: "frame2".into(), ..facts() };
        let refused =
            decide(&machine(), &other, Mode::Switch, &AcceptedName::default()).unwrap_err();
        assert_eq!(refused.what, "this is not frame1: it calls itself `frame2`");
        let accepted = AcceptedName(Some("frame2".into()));
        assert!(decide(&machine(), &other, Mode::Switch, &accepted).is_ok());
    }

    #[test]
    fn another_platform_is_refused() {
        let other =
            Facts { system: Some(System::Aarch64Linux), uname: "aarch64".into(), ..facts() };
        assert!(decide(&machine(), &other, Mode::Switch, &AcceptedName::default()).is_err());
    }
}
