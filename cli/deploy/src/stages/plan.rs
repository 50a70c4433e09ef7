//! From what the machine said to what will be done. Pure.

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
    // The way back would need it, and no push brings what runs.
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
        // The agent's to repair: it refuses or finishes what the record says.
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
    // Images for clouds leave it empty, and the name comes with the lease or the metadata.
    match machine.host_name.as_ref().filter(|wanted| !wanted.is_empty()) {
        Some(wanted) if *wanted != facts.host && !is_accepted => refuse(
            format!("this is not {name}: it calls itself `{}`", facts.host),
            format!("the system for {name} is called `{wanted}`"),
            String::new(),
        ),
        _ => Ok(()),
    }
}

/// The disk of another machine, or a copy of it, is not that machine.
fn same_machine(name: &str, confirmed: &Confirmed, here: &Identity) -> Result<()> {
    // Keys that the user may not read are the agent's to compare, which is root.
    let may_tell = confirmed.host_keys.is_empty() || !here.host_keys.is_empty();
    if confirmed.is_of(here) || !may_tell {
        return Ok(());
    }
    Err(Failure::unchanged(format!("the disk of {name} is another machine's"))
        .because(confirmed.describe_other_machine(here))
        .hint(Some(ANOTHER_MACHINE.into())))
}

/// Whether a shell takes what a machine calls itself as one word, and `deploy` for no option.
fn is_pasted_as_it_is(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(plain) && !name.starts_with('-')
}

#[cfg(test)]
mod tests;
