//! Evaluates the flake once for all selected machines, and reads every shape of flake as one kind of
//! machine. No machine is contacted here.

mod address;
mod apart;
mod broken;
mod elsewhere;
mod evaluation;
mod fields;
mod flake_config;
mod installation;
mod kept;
mod kinds;
mod odd;
pub mod overrides;
mod profiles;
mod secrets;
pub mod source;
mod workers;

use std::{collections::BTreeMap, time::Instant};

use deploy_wire::machine::{Machine, Revision};
use serde_json::Value;

use apart::Wanted;
use elsewhere::SshOptions;
use evaluation::FleetEvaluation;
use flake_config::FlakeConfig;
pub use installation::installation;
use kinds::NotThis;
use odd::NotDeployed;
use profiles::Meant;
pub use profiles::systems_alone;
pub use secrets::{DeclaredSecret, declared_secrets};
use source::absolute;

use self::overrides::Overrides;
use super::flake::{Aim, Selection, Word, nearest};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::nix::{Metadata, Nix, essence},
};

/// The machines of a run, as the flake describes them.
#[derive(Debug)]
pub struct Fleet {
    /// The machines, in the order of the command line or by name.
    pub machines: Vec<Machine>,
    /// The machines that cannot be evaluated. Their errors were reported.
    pub failed: Vec<String>,
}

impl Fleet {
    /// The exit code before any machine is asked: `failed` if one could not be evaluated.
    pub fn code_or(&self, failed: u8) -> u8 {
        if self.failed.is_empty() { 0 } else { failed }
    }
}

/// Evaluates the flake once for all selected machines, and again only for machines that failed. The
/// result of a clean tree is kept, so that the same tree is not evaluated twice.
pub async fn evaluate(
    nix: &mut Nix,
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<Fleet> {
    let start = Instant::now();
    let FleetEvaluation { evaluated, failed, metadata, accepts_all, was_kept } =
        evaluation::of(nix, Wanted::Machines, selection, overrides, report).await?;
    let config = flake_config(nix, &metadata, accepts_all).await;
    let value = &evaluated.value;
    let not_deployed = NotDeployed::read(value);
    let skipped = not_deployed.skipped(selection);
    let warnings = [fields::unknown(value), skipped, not_deployed.foreign()].concat();
    let warnings = evaluated.warnings.iter().cloned().chain(warnings).chain(config.warning());
    for text in warnings {
        report.tell(Event::Warning { machine: None, text });
    }
    nix.use_settings(config.used);
    let fleet = read(value, failed, selection, overrides, &metadata, &not_deployed, report)?;
    report.tell(Event::Evaluated {
        machines: fleet.machines.iter().map(|machine| machine.name.clone()).collect(),
        kept: was_kept,
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    Ok(fleet)
}

/// The flake's settings for builds. If they cannot be read, they are not used, and the deploy goes
/// on.
async fn flake_config(nix: &Nix, metadata: &Metadata, accepts_all: bool) -> FlakeConfig {
    match nix.flake_config(metadata).await {
        Ok(config) => FlakeConfig::read(&config, accepts_all, &flake_config::trusted()),
        Err(error) => FlakeConfig::unreadable(&error.to_string()),
    }
}

/// Runs `nix flake check`, for `--checks`.
pub async fn check(nix: &Nix, selection: &Selection, report: &Report) -> Result<()> {
    report.tell(Event::Checking { flake: selection.flake.clone() });
    nix.check(&absolute(&selection.flake), |_| {}).await.map_err(|error| {
        Failure::unchanged(format!("the checks of `{}` fail", selection.flake))
            .because(essence::trimmed(&error.to_string(), None))
    })
}

fn read(
    value: &Value,
    mut failed: Vec<String>,
    selection: &Selection,
    overrides: &Overrides,
    metadata: &Metadata,
    not_deployed: &NotDeployed,
    report: &Report,
) -> Result<Fleet> {
    let known: Vec<String> = serde_json::from_value(value["known"].clone()).unwrap_or_default();
    let documents: BTreeMap<String, Value> =
        serde_json::from_value(value["machines"].clone()).unwrap_or_default();
    let names = match &selection.names {
        None => documents.keys().map(|name| (name.clone(), Meant::All)).collect(),
        Some(words) => chosen(words, &known, selection, not_deployed)?,
    };
    let is_named = selection.names.is_some();
    let allowed = overrides.allow_ssh_opts;
    let ssh_options = SshOptions::of(&selection.flake, &metadata.url, allowed);
    let revision = revision(&metadata.locked);
    let is_alone = names.len() < 2 && failed.is_empty();
    let mut machines = Vec::new();
    let mut left_out = !not_deployed.odd.is_empty();
    for (name, meant) in names {
        if failed.contains(&name) {
            continue;
        }
        let document = documents.get(&name).cloned().unwrap_or_default();
        // A machine that cannot be deployed must not stop the others.
        match kinds::deployable(&selection.flake, &name, document)
            .and_then(|machine| chosen_of(machine, &meant, selection.aim, report))
        {
            Ok(mut machine) => {
                machine.revision.clone_from(&revision);
                overrides.apply(&mut machine)?;
                if overrides.ssh_opts.is_none() {
                    ssh_options.allow(&machine, &selection.flake)?;
                }
                match fields::refuse_nonsense(&machine).and_then(|()| address::settle(&mut machine))
                {
                    Ok(()) => machines.push(machine),
                    Err(failure) if is_alone => return Err(failure),
                    Err(failure) => {
                        report.tell(Event::NotEvaluated { machine: name.clone(), failure });
                        failed.push(name);
                    }
                }
            }
            Err(NotThis::Document(failure)) if !is_alone => {
                report.tell(Event::NotEvaluated { machine: name.clone(), failure });
                failed.push(name);
            }
            Err(NotThis::Machine(failure)) if !is_named => {
                left_out = true;
                let why = failure.causes.last().unwrap_or(&failure.what);
                let text = format!("{name} is left out: {why}");
                report.tell(Event::Warning { machine: None, text });
            }
            Err(NotThis::Machine(failure) | NotThis::Document(failure)) => return Err(failure),
        }
    }
    if machines.is_empty() {
        let flake = &selection.flake;
        return Err(if !failed.is_empty() {
            Failure::unchanged(format!("`{flake}` has no machine that can be evaluated"))
        } else if left_out {
            Failure::unchanged(format!("`{flake}` has no machine that can be deployed"))
        } else {
            Failure::unchanged(format!("`{flake}` has no machines"))
                .hint(Some(not_deployed.none_hint()))
        });
    }
    Ok(Fleet { machines, failed })
}

fn chosen(
    words: &[Word],
    known: &[String],
    selection: &Selection,
    not_deployed: &NotDeployed,
) -> Result<Vec<(String, Meant)>> {
    let flake = &selection.flake;
    let mut names: Vec<(String, Meant)> = Vec::new();
    for word in words {
        let Some((machine, profile)) = word.machine_and_profile(known) else {
            let hint = match nearest(&word.name(), known) {
                Some(name) => format!("did you mean `{name}`?"),
                None if known.is_empty() => not_deployed.none_hint(),
                None => format!("it has: {}", known.join(", ")),
            };
            return Err(
                Failure::unchanged(format!("`{flake}` has no machine `{word}`")).hint(Some(hint))
            );
        };
        not_deployed.refuse(&machine)?;
        match names.iter_mut().find(|(name, _)| *name == machine) {
            Some((_, meant)) => meant.and(profile),
            None => {
                let meant = profile.map_or(Meant::All, |profile| Meant::These(vec![profile]));
                names.push((machine, meant));
            }
        }
    }
    Ok(names)
}

/// The machine with the selected profiles, if they can be deployed.
fn chosen_of(
    mut machine: Machine,
    meant: &Meant,
    aim: Aim,
    report: &Report,
) -> std::result::Result<Machine, NotThis> {
    let stays = profiles::choose(&mut machine, meant, aim).map_err(NotThis::Machine)?;
    if let Some(text) = stays {
        report.tell(Event::Warning { machine: None, text });
    }
    kinds::refuse_system_elsewhere(&machine).map_err(NotThis::Machine)?;
    if aim != Aim::Look {
        profiles::refuse_undeployable(&machine).map_err(NotThis::Machine)?;
    }
    Ok(machine)
}

fn revision(locked: &Value) -> Option<Revision> {
    let text = |field: &str| locked[field].as_str().map(str::to_owned);
    let dirty = text("dirtyRev");
    Some(Revision {
        rev: text("rev").or_else(|| dirty.clone().map(|rev| rev.replace("-dirty", ""))),
        dirty: dirty.is_some(),
        last_modified: locked["lastModified"].as_u64()?,
    })
}
