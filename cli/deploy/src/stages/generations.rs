//! The generations that a machine has, for going back to one.

use deploy_wire::store_path::StorePath;

use super::{
    ask::Probed,
    build::{Built, Where},
};
use crate::error::{Failure, Result};

const SCRIPT: &str = "for link in /nix/var/nix/profiles/system-*-link; do \
     printf '%s %s\\n' \"$link\" \"$(readlink -f \"$link\")\"; done";

/// The system of generation `to`, or of the one before the present one.
pub async fn earlier(probed: &Probed, to: Option<u64>) -> Result<Built> {
    let name = &probed.machine.name;
    let text = probed.place.run(SCRIPT, "").await.map_err(|error| {
        Failure::unchanged(format!("the generations of {name} cannot be listed")).because(error)
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
    Ok(Built { toplevel: system.clone(), out: system.clone(), place: Where::OnTarget })
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
    fn generations_are_sorted_by_number() {
        let path = "/nix/store/11111111111111111111111111111111-x";
        let text =
            format!("/nix/var/nix/profiles/system-10-link {path}\n/n/system-9-link {path}\nx\n");
        let numbers: Vec<u64> = read(&text).into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [9, 10]);
    }
}
