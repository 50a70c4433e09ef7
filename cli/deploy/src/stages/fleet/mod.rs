//! From a flake to machines: one evaluation for all that are chosen.

mod broken;
mod fields;

use std::{collections::BTreeMap, path::Path, time::Instant};

use deploy_wire::machine::{Machine, Revision};
use serde_json::{Value, json};

use super::{
    flake::{Selection, machine_and_profile, nearest},
    overrides::Overrides,
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::{
        cache::Cache,
        nix::{Metadata, Nix},
        nix_error,
    },
};

/// The expression that turns outputs into machine.json documents.
const EXPRESSION: &str = include_str!("fleet.nix");

/// The machines of one run, as the flake describes them.
#[derive(Debug)]
pub struct Fleet {
    /// In the order of the command line, or by name.
    pub machines: Vec<Machine>,
}

/// Evaluates the flake once for all chosen machines. A clean tree's result is
/// kept: the same tree is not evaluated twice.
pub async fn evaluate(
    nix: &Nix,
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<Fleet> {
    report.tell(Event::Evaluating { flake: selection.flake.clone() });
    let start = Instant::now();
    let flake = absolute(&selection.flake);
    if names_no_folder(&selection.flake) {
        return Err(Failure::unchanged(format!("there is no folder `{}`", selection.flake)).hint(
            Some("a flake is named by its folder or its reference: deploy FLAKE#MACHINE".into()),
        ));
    }
    let not_evaluated = |error| broken::failure(&selection.flake, error, overrides.errors);
    let (metadata, version) =
        tokio::try_join!(nix.metadata(&flake), nix.version()).map_err(not_evaluated)?;
    let args = json!({ "candidates": selection.names.as_ref().map(|names| candidates(names)) });
    let key =
        json!([metadata.locked, metadata.locks, version, overrides.nix_args, args, EXPRESSION]);
    let cache = Cache::named("evaluations");
    let kept = metadata.is_clean().then(|| cache.get(&key.to_string())).flatten();
    let kept = kept.filter(derivations_are_here);
    let was_kept = kept.is_some();
    let value = match kept {
        Some(value) => value,
        None => {
            let function = format!("outputs: ({EXPRESSION}) {} outputs", nix_string(&args));
            let value =
                nix.eval(&metadata.url_or(&flake), &function).await.map_err(not_evaluated)?;
            if metadata.is_clean() {
                cache.put(&key.to_string(), &value);
            }
            value
        }
    };
    for text in fields::unknown(&value) {
        report.tell(Event::Warning { machine: None, text });
    }
    let fleet = read(&value, selection, overrides, &metadata)?;
    report.tell(Event::Evaluated {
        machines: fleet.machines.iter().map(|machine| machine.name.clone()).collect(),
        kept: was_kept,
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    Ok(fleet)
}

/// Runs `nix flake check`, for `--checks`.
pub async fn check(nix: &Nix, selection: &Selection, report: &Report) -> Result<()> {
    report.tell(Event::Checking { flake: selection.flake.clone() });
    nix.check(&absolute(&selection.flake), |_| {}).await.map_err(|error| {
        Failure::unchanged(format!("the checks of `{}` fail", selection.flake))
            .because(nix_error::trimmed(&error.to_string(), None))
    })
}

impl Metadata {
    /// The reference to evaluate: the locked one where the tree is clean, so that
    /// what is kept is what was evaluated; a dirty tree has none.
    fn url_or(&self, flake: &str) -> String {
        if self.is_clean() { self.url.clone() } else { flake.to_owned() }
    }
}

/// Nix reads `path/or/ref` as an entry of its registry; a folder is meant.
fn absolute(flake: &str) -> String {
    let folder = Path::new(flake);
    let is_reference = flake.contains(':');
    match folder.canonicalize() {
        Ok(path) if !is_reference && path.is_dir() => path.display().to_string(),
        _ => flake.to_owned(),
    }
}

/// What looks like a path and leads nowhere: Nix's own error for it says less.
fn names_no_folder(flake: &str) -> bool {
    let is_path = flake.starts_with(['/', '.', '~']) && !flake.contains(['?', '#']);
    is_path && !Path::new(flake).exists()
}

/// A JSON document as a string of the Nix language, which knows all of JSON's
/// escapes that can stand here and one thing more: `${`.
fn nix_string(json: &Value) -> String {
    Value::String(json.to_string()).to_string().replace("${", "\\${")
}

/// Each word with what it means if the last parts are a profile's name.
fn candidates(names: &[String]) -> Vec<Vec<&str>> {
    let of = |name: &'_ str| -> Vec<usize> {
        let mut ends: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
        ends.push(name.len());
        ends.reverse();
        ends
    };
    names.iter().map(|name| of(name).into_iter().map(|end| &name[..end]).collect()).collect()
}

/// A kept evaluation is worth nothing once its derivations were collected.
fn derivations_are_here(value: &Value) -> bool {
    let machines = value["machines"].as_object();
    machines.is_some_and(|machines| {
        machines.values().all(|machine| {
            let is_here =
                |made: &Value| made["drv"].as_str().is_some_and(|drv| Path::new(drv).exists());
            let image = &machine["image"];
            is_here(&machine["toplevel"]) && (image.is_null() || is_here(image))
        })
    })
}

fn read(
    value: &Value,
    selection: &Selection,
    overrides: &Overrides,
    metadata: &Metadata,
) -> Result<Fleet> {
    let known: Vec<String> = serde_json::from_value(value["known"].clone()).unwrap_or_default();
    let documents: BTreeMap<String, Value> =
        serde_json::from_value(value["machines"].clone()).unwrap_or_default();
    let names = match &selection.names {
        None => documents.keys().cloned().collect(),
        Some(words) => chosen(words, &known, &selection.flake)?,
    };
    if names.is_empty() {
        return Err(Failure::unchanged(format!("`{}` has no machines", selection.flake))
            .hint(Some("it needs `deploy.nodes.NAME` or `nixosConfigurations.NAME`".into())));
    }
    let revision = revision(&metadata.locked);
    let mut machines = Vec::new();
    for name in names {
        let document = documents.get(&name).cloned().unwrap_or_default();
        let mut machine = Machine::from_json(document)
            .map_err(|error| fields::wrong(&selection.flake, &name, &error))?;
        machine.revision.clone_from(&revision);
        overrides.apply(&mut machine)?;
        fields::have_sense(&machine)?;
        only_the_system_profile(&machine)?;
        machines.push(machine);
    }
    Ok(Fleet { machines })
}

fn chosen(words: &[String], known: &[String], flake: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for word in words {
        let Some((machine, profile)) = machine_and_profile(word, known) else {
            let hint = match nearest(word, known) {
                Some(name) => format!("did you mean `{name}`?"),
                None if known.is_empty() => {
                    "it has neither `deploy.nodes` nor `nixosConfigurations`".into()
                }
                None => format!("it has: {}", known.join(", ")),
            };
            return Err(
                Failure::unchanged(format!("`{flake}` has no machine `{word}`")).hint(Some(hint))
            );
        };
        if let Some(profile) = profile.filter(|profile| *profile != "system") {
            return Err(refused_profile(machine, profile));
        }
        if !names.iter().any(|name| name == machine) {
            names.push(machine.to_owned());
        }
    }
    Ok(names)
}

fn only_the_system_profile(machine: &Machine) -> Result<()> {
    let other = machine.profiles.iter().find(|each| each.name != "system" || each.user != "root");
    match other {
        None => Ok(()),
        Some(profile) if profile.name == "system" => {
            let (user, name) = (&profile.user, &machine.name);
            let failure = refused_profile(name, "system").because(format!("its user is {user}"));
            Err(failure.hint(Some(format!("set deploy.nodes.{name}.user = \"root\""))))
        }
        Some(profile) => Err(refused_profile(&machine.name, &profile.name)),
    }
}

fn refused_profile(machine: &str, profile: &str) -> Box<Failure> {
    Failure::unchanged(format!("profile `{profile}` of {machine} cannot be deployed"))
        .because("only the profile `system` of root, which holds a NixOS system, is supported")
        .hint(Some(format!(
            "take it out of deploy.nodes.{machine}.profiles, and deploy it with deploy-rs"
        )))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_dots_is_tried_longest_first() {
        let names = ["a.b.c".to_owned()];
        assert_eq!(candidates(&names), [["a.b.c", "a.b", "a"]]);
    }
}
