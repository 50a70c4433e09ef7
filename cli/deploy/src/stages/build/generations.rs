//! The generations of a machine, for a rollback.

use deploy_wire::{
    machine::{Machine, Manifest},
    store_path::StorePath,
};

use super::{Built, Where};
use crate::stages::ask::Probed;
use crate::{
    error::{Failure, Result},
    report::Report,
    tools::shell,
};

const SCRIPT: &str = "for link in /nix/var/nix/profiles/system-*-link; do \
     printf '%s %s\\n' \"$link\" \"$(readlink -f \"$link\")\"; done";

/// The system of generation `to`, or of the generation before the current one.
pub async fn earlier(probed: &Probed, to: Option<u64>) -> Result<Built> {
    let name = &probed.machine.name;
    let text = probed.place.run(SCRIPT, "").await.map_err(|error| {
        Failure::unchanged(format!("cannot list the generations of {name}")).because(error)
    })?;
    let generations = read(&text);
    let present = probed.facts.generation;
    let found = match to {
        Some(number) => generations.iter().find(|(each, _)| *each == number),
        None => generations.iter().rev().find(|(each, system)| {
            present.is_some_and(|present| *each < present)
                && Some(system) != probed.facts.runs.as_ref()
        }),
    };
    let Some((_, system)) = found else {
        let has: Vec<String> = generations.iter().map(|(number, _)| number.to_string()).collect();
        let what = to.map_or_else(
            || format!("{name} has no earlier generation"),
            |number| format!("{name} has no generation {number}"),
        );
        return Err(Failure::unchanged(what).hint(Some(format!("it has: {}", has.join(", ")))));
    };
    let (toplevel, out) = (system.clone(), system.clone());
    Ok(Built { toplevel, out, place: Where::OnTarget, profiles: Vec::new() })
}

/// Lets the manifest of the earlier system decide over the switch to it. The flake's current checks
/// may be about services that the earlier system lacks, and it may need other secrets. A system
/// without a manifest is judged by the current flake, and a note says so:
/// `a-rollback-is-decided-by-the-checks-and-secrets-of-its-generation` proves it.
pub async fn let_manifest_decide(
    probed: &mut Probed,
    system: &StorePath,
    report: &Report,
) -> Result<()> {
    let name = probed.machine.name.clone();
    let file = shell::quote(&format!("{system}/{}", Manifest::FILE));
    let script = format!("[ ! -e {file} ] || cat {file}");
    let text = probed.place.run(&script, "").await.map_err(|error| {
        Failure::unchanged(format!("the manifest of {system} on {name} cannot be read"))
            .because(error)
    })?;
    if let Some(why) = apply(&mut probed.machine, &text) {
        report
            .note(&name, format!("{system} {why}: the checks and secrets of today's flake decide"));
    }
    Ok(())
}

/// Applies a manifest, or returns why it cannot be used.
fn apply(machine: &mut Machine, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("has no manifest of its own".into());
    }
    let read = serde_json::from_str(text).map_err(|error| error.to_string());
    let read = read.and_then(|json| Manifest::from_json(json).map_err(|error| error.to_string()));
    match read {
        Ok(manifest) => {
            manifest.apply_to(machine);
            None
        }
        Err(error) => Some(format!("has a manifest that cannot be read ({error})")),
    }
}

fn read(text: &str) -> Vec<(u64, StorePath)> {
    let one = |line: &str| {
        let (link, system) = line.split_once(' ')?;
        let number = link.rsplit('/').next()?.strip_prefix("system-")?.strip_suffix("-link")?;
        Some((number.parse().ok()?, StorePath::parse(system).ok()?))
    };
    let mut generations: Vec<_> = text.lines().filter_map(one).collect();
    generations.sort();
    generations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_manifest_says_is_taken_and_the_rest_stays() {
        let golden = include_str!("../../../../wire/golden/machine/full.json");
        let full = Machine::from_json(serde_json::from_str(golden).unwrap()).unwrap();
        let mut machine = full.clone();
        let manifest = r#"{"version":1,"checks":[],"rollback":{"services":{"a":"unsafe"}},
            "beforeActivate":[],"secrets":[]}"#;
        assert_eq!(apply(&mut machine, manifest), None);
        assert!(machine.checks.is_empty() && machine.secrets.is_empty());
        assert!(machine.before_activate.is_empty());
        assert_eq!(machine.rollback.services.len(), 1);
        assert_eq!(machine.rollback.reboot, full.rollback.reboot);
        assert_eq!((&machine.ssh, &machine.units), (&full.ssh, &full.units));
    }

    #[test]
    fn a_manifest_that_is_not_read_changes_nothing_and_is_told() {
        let golden = include_str!("../../../../wire/golden/machine/full.json");
        let full = Machine::from_json(serde_json::from_str(golden).unwrap()).unwrap();
        for (text, told) in [
            ("", "no manifest of its own"),
            ("{", "cannot be read (EOF"),
            (r#"{"version":2}"#, "version 2"),
            (r#"{"version":1,"checks":[]}"#, "missing field"),
        ] {
            let mut machine = full.clone();
            let why = apply(&mut machine, text).unwrap();
            assert!(why.contains(told), "{why}");
            assert_eq!(machine, full);
        }
    }

    #[test]
    fn generations_are_sorted_by_number() {
        let path = "/nix/store/11111111111111111111111111111111-x";
        let text =
            format!("/nix/var/nix/profiles/system-10-link {path}\n/n/system-9-link {path}\nx\n");
        let numbers: Vec<u64> = read(&text).into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [9, 10]);
    }
}
