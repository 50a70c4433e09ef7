//! Reads the value of an evaluation as machines.

use std::collections::BTreeMap;

use deploy_wire::machine::{Machine, Revision};
use serde_json::Value;

use super::{
    Fleet, address,
    elsewhere::SshOptions,
    fields,
    kinds::{self, NotThis},
    odd::NotDeployed,
    overrides::Overrides,
    profiles::{self, Meant},
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    stages::flake::{Aim, Selection, Word, nearest},
    tools::nix::Metadata,
};

/// What the machines of a run follow from, besides the value.
pub struct FleetReader<'a> {
    /// The machines that are meant.
    pub selection: &'a Selection,
    /// Values that take precedence over the flake's.
    pub overrides: &'a Overrides,
    /// The flake that is evaluated.
    pub metadata: &'a Metadata,
}

/// A machine, and what is to be said of it.
struct Read {
    machine: Machine,
    warning: Option<String>,
}

impl FleetReader<'_> {
    /// All selected machines but those that `failed`. What is wrong with one of several is reported,
    /// and stops only that one.
    pub fn fleet(
        &self,
        value: &Value,
        mut failed: Vec<String>,
        not_deployed: &NotDeployed,
        report: &Report,
    ) -> Result<Fleet> {
        let flake = &self.selection.flake;
        let mut documents = documents(value);
        let names = self.names(value, &documents, not_deployed)?;
        let is_named = self.selection.names.is_some();
        let is_alone = names.len() < 2 && failed.is_empty();
        let mut machines = Vec::new();
        let mut left_out = !not_deployed.odd.is_empty();
        for (name, meant) in names {
            if failed.contains(&name) {
                continue;
            }
            let document = documents.remove(&name).unwrap_or_default();
            match self.machine(&name, document, &meant) {
                Ok(Read { machine, warning }) => {
                    if let Some(text) = warning {
                        report.tell(Event::Warning { machine: None, text });
                    }
                    machines.push(machine);
                }
                // A machine that cannot be deployed must not stop the others.
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
                Err(
                    NotThis::Machine(failure) | NotThis::Document(failure) | NotThis::Run(failure),
                ) => return Err(failure),
            }
        }
        if machines.is_empty() {
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

    /// The machines of a value that has some of them. [`Self::fleet`] reports what is wrong with the
    /// others.
    pub fn some(&self, value: &Value) -> Vec<Machine> {
        let mut documents = documents(value);
        let names = self.names(value, &documents, &NotDeployed::read(value)).unwrap_or_default();
        let read = names
            .into_iter()
            .filter_map(|(name, meant)| self.machine(&name, documents.remove(&name)?, &meant).ok());
        read.map(|read| read.machine).collect()
    }

    /// The selected machines, and which of their profiles.
    fn names(
        &self,
        value: &Value,
        documents: &BTreeMap<String, Value>,
        not_deployed: &NotDeployed,
    ) -> Result<Vec<(String, Meant)>> {
        let known: Vec<String> = serde_json::from_value(value["known"].clone()).unwrap_or_default();
        match &self.selection.names {
            None => Ok(documents.keys().map(|name| (name.clone(), Meant::All)).collect()),
            Some(words) => chosen(words, &known, self.selection, not_deployed),
        }
    }

    /// The machine of a document, as it is deployed.
    fn machine(
        &self,
        name: &str,
        document: Value,
        meant: &Meant,
    ) -> std::result::Result<Read, NotThis> {
        let Self { selection, overrides, metadata } = self;
        let mut machine = kinds::deployable(&selection.flake, name, document)?;
        let warning =
            profiles::choose(&mut machine, meant, selection.aim).map_err(NotThis::Machine)?;
        kinds::refuse_system_elsewhere(&machine).map_err(NotThis::Machine)?;
        if selection.aim != Aim::Look {
            profiles::refuse_undeployable(&machine).map_err(NotThis::Machine)?;
        }
        machine.revision = revision(&metadata.locked);
        overrides.apply(&mut machine).map_err(NotThis::Run)?;
        if overrides.ssh_opts.is_none() {
            let allowed = overrides.allow_ssh_opts;
            SshOptions::of(&selection.flake, &metadata.url, allowed)
                .allow(&machine, &selection.flake)
                .map_err(NotThis::Run)?;
        }
        fields::refuse_nonsense(&machine)
            .and_then(|()| address::settle(&mut machine))
            .map_err(NotThis::Document)?;
        Ok(Read { machine, warning })
    }
}

fn documents(value: &Value) -> BTreeMap<String, Value> {
    serde_json::from_value(value["machines"].clone()).unwrap_or_default()
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

fn revision(locked: &Value) -> Option<Revision> {
    let text = |field: &str| locked[field].as_str().map(str::to_owned);
    let dirty = text("dirtyRev");
    Some(Revision {
        rev: text("rev").or_else(|| dirty.clone().map(|rev| rev.replace("-dirty", ""))),
        dirty: dirty.is_some(),
        last_modified: locked["lastModified"].as_u64()?,
    })
}
