//! The changes of a deploy as text.

use crate::report::{
    ChangedSecret, Changes, PackageChange, SecretChanges,
    line::{Line, Tone},
};

/// The number of items that a line names before it only counts. `plan --json --build` names all.
const NAMED: usize = 12;

/// A line for each kind of change.
pub fn lines(machine: &str, changes: &Changes) -> Vec<Line> {
    let Changes { packages, units, secrets, reboot, profiles } = changes;
    let (new, rest): (Vec<&PackageChange>, Vec<_>) =
        packages.iter().partition(|package| package.before.is_empty());
    let (removed, changed): (Vec<&PackageChange>, Vec<_>) =
        rest.into_iter().partition(|package| package.after.is_empty());
    let rows = [
        ("packages", words(&changed)),
        ("new packages", words(&new)),
        ("removed packages", words(&removed)),
        ("new units", units.new.clone()),
        ("changed units", units.changed.clone()),
        ("removed units", units.removed.clone()),
        ("enabled units", units.enabled.clone()),
        ("disabled units", units.disabled.clone()),
    ];
    let mut lines: Vec<Line> = rows
        .into_iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(what, items)| format!("{what}: {}", named(&items)))
        .chain(secret_lines(secrets))
        .map(|line| Line::plain(format!("{machine}:   {line}")))
        .collect();
    if !reboot.is_empty() {
        let text = format!("{machine}:   a reboot is needed for: {}", reboot.join(", "));
        lines.push(Line::with(text, Tone::Warning, "a reboot is needed"));
    }
    lines.extend(profiles.iter().map(|profile| {
        Line::plain(format!("{machine}:   {profile} is activated: no health checks"))
    }));
    if lines.is_empty() {
        lines.push(Line::plain(format!("{machine}:   no package, unit or kernel changes")));
    }
    lines
}

/// The secrets that differ, a line for each kind of difference.
pub fn secret_lines(secrets: &SecretChanges) -> Vec<String> {
    let rows = [
        ("new secrets", secrets.new.clone()),
        ("changed secrets", secrets.changed.iter().map(changed_secret).collect()),
        ("removed secrets", secrets.removed.clone()),
    ];
    let rows = rows.iter().filter(|(_, items)| !items.is_empty());
    rows.map(|(what, items)| format!("{what}: {}", named(items))).collect()
}

/// What the flake's secrets differ in from those that run, for a status.
pub fn older_secret_lines(secrets: &SecretChanges) -> Vec<String> {
    let SecretChanges { new, changed, removed } = secrets;
    let changed: Vec<String> = changed.iter().map(|secret| secret.name.clone()).collect();
    let rows = [
        ("older than in the flake", &changed),
        ("only in the flake", new),
        ("no longer in the flake", removed),
    ];
    let rows = rows.into_iter().filter(|(_, names)| !names.is_empty());
    rows.map(|(what, names)| format!("secrets:   {what}: {}", names.join(", "))).collect()
}

/// A secret with the units that restart.
fn changed_secret(secret: &ChangedSecret) -> String {
    match secret.restarts.as_slice() {
        [] => secret.name.clone(),
        units => format!("{} (restarts {})", secret.name, units.join(", ")),
    }
}

fn words(packages: &[&PackageChange]) -> Vec<String> {
    let word = |package: &&PackageChange| {
        let (before, after) = (package.before.join("+"), package.after.join("+"));
        match (before.is_empty(), after.is_empty()) {
            (false, false) => format!("{} {before} -> {after}", package.name),
            _ => format!("{} {before}{after}", package.name),
        }
    };
    packages.iter().map(word).collect()
}

fn named(items: &[String]) -> String {
    let more = items.len().saturating_sub(NAMED);
    let first = items[..items.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Units;

    fn text(changes: &Changes) -> Vec<String> {
        lines("m", changes).iter().map(|line| line.text().to_string()).collect()
    }

    #[test]
    fn each_kind_of_change_has_a_line() {
        let package = |name: &str, before: &[&str], after: &[&str]| PackageChange {
            name: name.into(),
            before: before.iter().map(ToString::to_string).collect(),
            after: after.iter().map(ToString::to_string).collect(),
        };
        let one = |name: &str| vec![name.to_owned()];
        let changes = Changes {
            packages: vec![
                package("caddy", &["2.7.6"], &["2.8.0"]),
                package("new", &[], &["3.1"]),
                package("old", &["1", "2"], &[]),
            ],
            units: Units {
                new: one("a.service"),
                changed: one("b.service"),
                removed: one("c.service"),
                enabled: one("d.timer"),
                disabled: one("e.timer"),
            },
            secrets: SecretChanges {
                new: one("a-token"),
                changed: vec![
                    ChangedSecret { name: "b-key".into(), restarts: one("b.service") },
                    ChangedSecret { name: "c-key".into(), restarts: Vec::new() },
                ],
                removed: one("d-word"),
            },
            reboot: one("kernel"),
            profiles: one("profile `home` of joe"),
        };
        assert_eq!(
            text(&changes),
            [
                "m:   packages: caddy 2.7.6 -> 2.8.0",
                "m:   new packages: new 3.1",
                "m:   removed packages: old 1+2",
                "m:   new units: a.service",
                "m:   changed units: b.service",
                "m:   removed units: c.service",
                "m:   enabled units: d.timer",
                "m:   disabled units: e.timer",
                "m:   new secrets: a-token",
                "m:   changed secrets: b-key (restarts b.service), c-key",
                "m:   removed secrets: d-word",
                "m:   a reboot is needed for: kernel",
                "m:   profile `home` of joe is activated: no health checks",
            ]
        );
        assert_eq!(text(&Changes::default()), ["m:   no package, unit or kernel changes"]);
    }

    #[test]
    fn long_lists_are_counted() {
        let items: Vec<String> = (0..15).map(|number| number.to_string()).collect();
        assert!(named(&items).ends_with("11 and 3 more"));
    }
}
