//! Plans a deploy from the machine's facts. It is pure.

pub mod changes;
pub mod no_way_back;
mod profiles;
pub mod secrets;

use deploy_wire::{
    attempt::Mode,
    baseline::{ANOTHER_MACHINE, Confirmed, Identity},
    machine::Machine,
    message::NOT_REGISTERED,
    record::Record,
};

pub use profiles::{needed, profile_lines};

use super::ask::Facts;
use crate::error::{Failure, Result};

/// What to do with a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The machine runs and boots the wanted system, and that is confirmed. An unknown boot default
    /// does not count.
    UpToDate,
    /// Deploy the machine.
    Deploy,
    /// Another attempt has the machine.
    Busy(Box<Record>),
}

/// The name that the operator accepts from a machine that reports another name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceptedName(pub Option<String>);

/// Decides, or refuses with a reason.
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
                .hint(Some(format!(
                    "set nixpkgs.hostPlatform of {name} to what it is, or deploy.nodes.{name}.system \
                     where no nixosConfigurations.{name} tells it"
                ))));
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
    // A rollback would need the running system's registration, and no push brings it.
    if machine.toplevel.is_some() && facts.not_registered && facts.runs != facts.wanted {
        return Err(refuse(format!("what runs on {name} is not in the database of its store"))
            .because("nix-store --check-validity /run/current-system says so there")
            .hint(Some(NOT_REGISTERED.into())));
    }
    profiles::refuse_missing_users(machine, facts)?;
    if let Some(unit) = &facts.switching {
        return Err(refuse(format!("another tool is switching {name}"))
            .because(format!("{unit} is active"))
            .hint(Some("wait for it to end".into())));
    }
    let open = match &facts.attempt {
        Ok(attempt) => attempt.as_ref().filter(|record| record.is_open()),
        // The agent repairs this: it refuses, or ends the attempt by its record.
        Err(_) => return Ok(Plan::Deploy),
    };
    if let Some(record) = open {
        let unit = format!("deploy-agent-{}.service", record.attempt);
        return Ok(if facts.watchers.contains(&unit) {
            Plan::Busy(Box::new(record.clone()))
        } else {
            Plan::Deploy
        });
    }
    Ok(match mode {
        Mode::Switch if profiles::is_all_up_to_date(machine, facts) => Plan::UpToDate,
        _ => Plan::Deploy,
    })
}

/// The attempt and its operator, as text.
pub fn whose(record: &Record) -> String {
    let operator = &record.operator;
    format!("attempt {} by {}@{}", record.attempt, operator.user, operator.host)
}

/// The failure that a second operator sees.
pub fn busy(name: &str, record: &Record, now: u64) -> Box<Failure> {
    let seconds = now.saturating_sub(record.since);
    Failure::unchanged(format!("{name} is being deployed to"))
        .because(format!("{}, since {seconds} s, phase {}", whose(record), record.phase))
        .hint(Some("--wait waits for the end of it".into()))
}

/// Whether the wanted system runs, is in the profile, boots, and is confirmed. Without a record the
/// running system is the baseline. An unknown boot default does not count.
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

/// Refuses another machine. A name in ssh_config or DNS may lead to one, which must not get this
/// machine's system: `a-deploy-to-the-wrong-machine-is-refused` proves it.
fn right_machine(machine: &Machine, facts: &Facts, accepted: &AcceptedName) -> Result<()> {
    let name = &machine.name;
    let is_accepted = accepted.0.as_ref() == Some(&facts.host);
    let refuse = |what: String, cause: String, hint: String| {
        let accept = format!("if it is the right machine: --accept-name {}", facts.host);
        let accept = if is_pasted_as_it_is(&facts.host) {
            accept
        } else {
            "it calls itself by what is no host's name: is it the right machine?".into()
        };
        let lines = [accept, hint].into_iter().filter(|line| !line.is_empty());
        Err(Failure::unchanged(what).because(cause).hint(lines.collect::<Vec<_>>().join("\n")))
    };
    if let Ok(Some(confirmed)) = &facts.confirmed {
        if confirmed.machine != *name && !is_accepted {
            let other = &confirmed.machine;
            return refuse(
                format!("this is not {name} but {other}"),
                format!("the record on it says that it was deployed to as `{other}`"),
                "one machine with two addresses is one node, with both in `ssh.addresses`".into(),
            );
        }
        return same_machine(name, confirmed, &facts.identity);
    }
    // Images for clouds leave the name empty; it comes from DHCP or from the metadata.
    match machine.host_name.as_ref().filter(|wanted| !wanted.is_empty()) {
        Some(wanted) if *wanted != facts.host && !is_accepted => refuse(
            format!("this is not {name}: it calls itself `{}`", facts.host),
            format!("the system for {name} is called `{wanted}`"),
            String::new(),
        ),
        _ => Ok(()),
    }
}

/// Refuses a machine that runs from the disk of another machine, or from a copy of it.
fn same_machine(name: &str, confirmed: &Confirmed, here: &Identity) -> Result<()> {
    // If the user may not read the keys, the agent compares them as root.
    let may_tell = confirmed.host_keys.is_empty() || !here.host_keys.is_empty();
    if confirmed.is_of(here) || !may_tell {
        return Ok(());
    }
    Err(Failure::unchanged(format!("the disk of {name} is another machine's"))
        .because(confirmed.describe_other_machine(here))
        .hint(Some(ANOTHER_MACHINE.into())))
}

/// Whether a reported name is one word for a shell and not an option for `deploy`.
fn is_pasted_as_it_is(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(plain) && !name.starts_with('-')
}

#[cfg(test)]
mod tests;
