//! What a deploy changes on a machine, told before it does.

mod inventory;
mod packages;

use std::collections::BTreeMap;

use deploy_wire::store_path::StorePath;

pub use inventory::Inventory;
use packages::PackageChange;

use super::{
    ask::Probed,
    build::{Built, Where},
};
use crate::{
    error::{Failure, Result},
    tools::{nix::Nix, place::Place},
};

/// The difference between two systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Packages of other versions.
    pub packages: Vec<PackageChange>,
    /// Unit files that are new.
    pub new_units: Vec<String>,
    /// Unit files that differ.
    pub changed_units: Vec<String>,
    /// Unit files that go.
    pub removed_units: Vec<String>,
    /// What only a reboot brings into use.
    pub reboot: Vec<String>,
}

/// Compares what runs with what is wanted.
pub async fn changes(probed: &Probed, built: &Built) -> Result<Changes> {
    let name = &probed.machine.name;
    let runs = probed.facts.runs.as_ref().expect("the plan refused a machine without a system");
    let looked = |error| {
        Failure::unchanged(format!("what changes on {name} cannot be looked at")).because(error)
    };
    let here = Place::Here;
    let place = match built.place {
        Where::Here => &here,
        Where::OnTarget => &probed.place,
    };
    let (before, after) =
        tokio::try_join!(Inventory::of(runs, &probed.place), Inventory::of(&built.toplevel, place))
            .map_err(looked)?;
    Ok(Changes::between(&before, &after, &probed.facts.booted_parts))
}

/// The sizes of the paths of a closure here, in bytes.
pub async fn sizes(nix: &Nix, toplevel: &StorePath) -> Result<BTreeMap<String, u64>> {
    nix.sizes(toplevel).await.map_err(|error| {
        Failure::unchanged("the sizes of the closure cannot be told").because(error)
    })
}

/// How many items a line names before it only counts.
const NAMED: usize = 12;

impl Changes {
    fn between(before: &Inventory, after: &Inventory, booted: &BTreeMap<String, String>) -> Self {
        let only = |a: &Inventory, b: &Inventory| -> Vec<String> {
            a.units.keys().filter(|unit| !b.units.contains_key(*unit)).cloned().collect()
        };
        let changed = before
            .units
            .iter()
            .filter(|(unit, file)| after.units.get(*unit).is_some_and(|other| other != *file));
        let reboot = after
            .parts
            .iter()
            .filter(|(part, file)| booted.get(*part).is_some_and(|booted| booted != *file));
        Self {
            packages: packages::changed(&before.paths, &after.paths),
            new_units: only(after, before),
            removed_units: only(before, after),
            changed_units: changed.map(|(unit, _)| unit.clone()).collect(),
            reboot: reboot.map(|(part, _)| part.clone()).collect(),
        }
    }

    /// One line for each kind of change, for people.
    pub fn lines(&self) -> Vec<String> {
        let packages: Vec<String> = self.packages.iter().map(ToString::to_string).collect();
        [
            ("packages", &packages),
            ("new units", &self.new_units),
            ("changed units", &self.changed_units),
            ("removed units", &self.removed_units),
            ("a reboot is needed for", &self.reboot),
        ]
        .into_iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(what, items)| format!("{what}: {}", named(items)))
        .collect()
    }
}

fn named(items: &[String]) -> String {
    let more = items.len().saturating_sub(NAMED);
    let first = items[..items.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

/// The paths of a closure that a machine lacks, given what it has.
pub fn lacking<'a>(closure: &'a Inventory, has: &'a Inventory) -> Vec<&'a StorePath> {
    closure.paths.difference(&has.paths).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(units: &[(&str, &str)], kernel: &str) -> Inventory {
        Inventory {
            units: units.iter().map(|(unit, file)| ((*unit).into(), (*file).into())).collect(),
            parts: [("kernel".to_owned(), kernel.to_owned())].into(),
            ..Inventory::default()
        }
    }

    #[test]
    fn units_and_reboot_are_told() {
        let before =
            inventory(&[("a.service", "1"), ("b.service", "1"), ("c.service", "1")], "6.1");
        let after = inventory(&[("a.service", "1"), ("b.service", "2"), ("d.service", "1")], "6.2");
        let booted = [("kernel".to_owned(), "6.1".to_owned())].into();
        assert_eq!(
            Changes::between(&before, &after, &booted).lines(),
            [
                "new units: d.service",
                "changed units: b.service",
                "removed units: c.service",
                "a reboot is needed for: kernel",
            ]
        );
    }

    #[test]
    fn long_lists_are_counted() {
        let items: Vec<String> = (0..15).map(|number| number.to_string()).collect();
        assert!(named(&items).ends_with("11 and 3 more"));
    }
}
