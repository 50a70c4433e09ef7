//! The changes that a deploy makes on a machine, for the report before the switch. They are compared
//! from the two closures; nothing here changes the machine.

mod inventory;
mod packages;
pub mod secrets;
mod units;

use std::collections::BTreeMap;

use deploy_wire::{machine::Secret, store_path::StorePath};

pub use inventory::Inventory;

use crate::stages::{
    ask::{Probed, sessions},
    build::{Built, Where},
};
use crate::{
    error::{Failure, Result},
    report::Changes,
    tools::{nix::Nix, place::Place, ssh::SshError},
};

/// Compares the running system with the wanted one.
pub async fn changes(probed: &Probed, built: &Built) -> Result<Changes> {
    let name = &probed.machine.name;
    let runs = probed.facts.runs.as_ref().expect("the plan refused a machine without a system");
    let looked = |error: SshError| {
        let what = format!("cannot compare the new system with the one on {name}");
        sessions::too_few(name, &error.said)
            .unwrap_or_else(|| Failure::unchanged(what).because(error))
    };
    let here = Place::Here;
    let place = match built.place {
        Where::Here | Where::OnBuilder(_) => &here,
        Where::OnTarget => &probed.place,
    };
    let (before, after) =
        tokio::try_join!(Inventory::of(runs, &probed.place), Inventory::of(&built.toplevel, place))
            .map_err(looked)?;
    Ok(between(&before, &after, &probed.facts.booted_parts, &probed.machine.secrets))
}

/// The sizes of the paths in a local closure, in bytes.
pub async fn sizes(nix: &Nix, toplevel: &StorePath) -> Result<BTreeMap<String, u64>> {
    nix.sizes(toplevel).await.map_err(|error| {
        Failure::unchanged("cannot determine the size of the closure").because(error)
    })
}

/// The paths of a closure that a machine lacks.
pub fn lacking<'a>(closure: &'a Inventory, has: &'a Inventory) -> Vec<&'a StorePath> {
    closure.paths.difference(&has.paths).collect()
}

/// Compares two systems. `booted` are the parts of the booted system, which may be older than the
/// running one.
fn between(
    before: &Inventory,
    after: &Inventory,
    booted: &BTreeMap<String, String>,
    declared: &[Secret],
) -> Changes {
    let differs =
        |(part, file): &(&String, &String)| booted.get(*part).is_some_and(|booted| booted != *file);
    Changes {
        packages: packages::changed(&before.paths, &after.paths),
        units: units::changed(&before.units, &after.units),
        secrets: secrets::changed(&before.secrets, &after.secrets, declared),
        reboot: after.parts.iter().filter(differs).map(|(part, _)| part.clone()).collect(),
        profiles: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reboot_is_needed_for_what_differs_from_what_was_booted() {
        let with = |kernel: &str| Inventory {
            parts: [("kernel".to_owned(), kernel.to_owned())].into(),
            ..Inventory::default()
        };
        let booted = [("kernel".to_owned(), "6.1".to_owned())].into();
        assert_eq!(between(&with("6.2"), &with("6.2"), &booted, &[]).reboot, ["kernel"]);
        assert!(between(&with("6.2"), &with("6.1"), &booted, &[]).reboot.is_empty());
    }
}
