//! Packages and their versions, from the names of store paths.

use std::collections::{BTreeMap, BTreeSet};

use deploy_wire::store_path::StorePath;

use crate::report::PackageChange;

/// The packages that differ. Paths without a version (units, configuration) are compared elsewhere.
pub fn changed(before: &BTreeSet<StorePath>, after: &BTreeSet<StorePath>) -> Vec<PackageChange> {
    let (before, after) = (versions(before), versions(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |versions: &BTreeMap<String, BTreeSet<String>>, name: &String| {
        versions.get(name).map(|set| set.iter().cloned().collect()).unwrap_or_default()
    };
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| PackageChange {
            name: name.clone(),
            before: of(&before, name),
            after: of(&after, name),
        })
        .collect()
}

fn versions(paths: &BTreeSet<StorePath>) -> BTreeMap<String, BTreeSet<String>> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, version) in paths.iter().filter_map(|path| name_and_version(path.name())) {
        versions.entry(name.to_owned()).or_default().insert(version.to_owned());
    }
    versions
}

/// The outputs that the end of a name can have. The output `out` is not in the name.
const OUTPUTS: [&str; 9] = ["bin", "dev", "doc", "man", "lib", "info", "data", "devdoc", "static"];

/// Follows Nix's `builtins.parseDrvName`: the version begins after the first dash that no letter
/// follows.
fn name_and_version(text: &str) -> Option<(&str, &str)> {
    let text = OUTPUTS
        .iter()
        .find_map(|output| text.strip_suffix(output)?.strip_suffix('-'))
        .unwrap_or(text);
    let dash = text
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|at| text[at + 1..].starts_with(|c: char| !c.is_ascii_alphabetic()))?;
    let (name, version) = (&text[..dash], &text[dash + 1..]);
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closure(names: &[&str]) -> BTreeSet<StorePath> {
        let path = |name: &&str| {
            StorePath::parse(&format!("/nix/store/11111111111111111111111111111111-{name}"))
                .unwrap()
        };
        names.iter().map(path).collect()
    }

    #[test]
    fn versions_are_compared_by_name() {
        let before = closure(&["caddy-2.7.6", "glibc-2.39-bin", "unit-caddy.service", "old-1"]);
        let after = closure(&["caddy-2.8.0", "glibc-2.39", "unit-caddy.service", "new-3.1"]);
        let lines: Vec<_> = changed(&before, &after)
            .iter()
            .map(|package| format!("{} {:?} {:?}", package.name, package.before, package.after))
            .collect();
        assert_eq!(lines, [r#"caddy ["2.7.6"] ["2.8.0"]"#, r#"new [] ["3.1"]"#, r#"old ["1"] []"#]);
    }

    #[test]
    fn names_are_divided_as_nix_divides_them() {
        assert_eq!(
            name_and_version("nixos-system-frame1-25.11.1"),
            Some(("nixos-system-frame1", "25.11.1"))
        );
        assert_eq!(name_and_version("a-b"), None);
        assert_eq!(name_and_version("x-1.0-man"), Some(("x", "1.0")));
    }
}
