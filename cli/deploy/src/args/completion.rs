//! What a shell completes of names that only the user's files know. Nix is not asked: an evaluation
//! takes longer than anybody waits for a key.

use std::{collections::BTreeSet, ffi::OsStr, path::PathBuf};

use clap_complete::engine::CompletionCandidate;

use crate::secrets::{
    keys, names,
    owners::Owners,
    rules::{self, RulesFile},
};

/// Secrets, with `.age` where that was begun.
pub fn secrets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let known = known().into_iter().flat_map(|name| {
        let bare = name.strip_suffix(".age").map(str::to_owned);
        let whole = (bare.is_none() || current.len() > bare.as_ref().map_or(0, String::len))
            .then_some(name);
        [bare, whole].into_iter().flatten()
    });
    known.filter(|name| name.starts_with(current)).map(CompletionCandidate::new).collect()
}

/// Names of keys, as they stand in the rules and in what these import.
pub fn recipients(current: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(current), Some(at)) = (current.to_str(), rules_file()) else { return Vec::new() };
    let owners = Owners::of(&at);
    let bindings = owners.files().iter().flat_map(|(_, text)| keys::bindings(text));
    let names: BTreeSet<String> = bindings
        .flat_map(|binding| [binding.name().to_owned(), binding.path.join(".")])
        .filter(|name| name.starts_with(current))
        .collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Secrets, or names of keys.
pub fn secrets_and_recipients(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut all = secrets(current);
    all.extend(recipients(current));
    all
}

/// The names of the rules that the command line being completed means.
fn known() -> Vec<String> {
    rules_file().map(|at| names::known(&at.file).into_iter().collect()).unwrap_or_default()
}

fn rules_file() -> Option<RulesFile> {
    let named = named_rules(std::env::args().skip_while(|word| word != "--"));
    let wanted = std::env::var_os("RULES").filter(|rules| !rules.is_empty()).map(PathBuf::from);
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    rules::find(named.or(wanted).as_deref(), &here.ok()?).ok()
}

/// The file that `--rules` names.
fn named_rules(words: impl Iterator<Item = String>) -> Option<PathBuf> {
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if let Some(file) = word.strip_prefix("--rules=") {
            return Some(file.into());
        }
        if word == "--rules" {
            return words.next().map(PathBuf::from);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_command_line_are_meant() {
        let named = |line: &str| named_rules(line.split(' ').map(str::to_owned));
        assert_eq!(named("-- deploy secrets show --rules a.nix b"), Some("a.nix".into()));
        assert_eq!(named("-- deploy secrets show --rules=a.nix"), Some("a.nix".into()));
        assert_eq!(named("-- deploy secrets show a"), None);
        assert_eq!(named("-- deploy secrets show --rules"), None);
    }
}
