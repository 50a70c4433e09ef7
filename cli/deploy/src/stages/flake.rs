//! The flake and the selected machines, as the command line names them. Nothing is evaluated here.

use strsim::levenshtein;

use crate::error::{Failure, Result};

mod word;

pub use word::Word;

/// A machine, as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The flake's reference; `.` for a bare name.
    pub flake: String,
    /// The machine, perhaps with `.profile`; `None` means all machines.
    pub machine: Option<Word>,
}

/// A flake and the machines that are selected from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The flake's reference.
    pub flake: String,
    /// The names of the machines; `None` means all.
    pub names: Option<Vec<Word>>,
    /// The purpose, which decides about the profiles.
    pub aim: Aim,
}

/// What a command does with machines, as far as it matters for their profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Deploy the flake. A machine's name stands for all of its profiles.
    Deploy,
    /// Return to an earlier system. The profiles stay, and a warning says so.
    GoBack,
    /// Ask the machine. Profiles do not matter.
    Look,
}

impl Selection {
    /// The same machines with another aim.
    pub fn aimed_at(self, aim: Aim) -> Self {
        Self { aim, ..self }
    }
}

/// Parses a word of the command line. A bare word is a machine of the flake in the current folder.
/// A flake reference contains `#`, `/`, `?` or `:`, or is a dot.
pub fn parse(word: &str) -> Result<Named> {
    let named = |flake: &str, machine: &str| {
        let machine = (!machine.is_empty()).then(|| Word::parse(machine)).transpose()?;
        Ok(Named { flake: if flake.is_empty() { ".".into() } else { flake.into() }, machine })
    };
    match word.split_once('#') {
        Some((flake, machine)) => named(flake, machine),
        None if word.contains(['/', '?', ':']) || word == "." || word == ".." => named(word, ""),
        None => named(".", word),
    }
}

/// Parses all words. A run is about one flake. An empty word comes from an unset shell variable;
/// taking it as all machines would deploy them.
pub fn select(words: &[String]) -> Result<Selection> {
    if words.iter().any(String::is_empty) {
        return Err(Failure::unchanged("a machine's name is empty")
            .hint(Some("is a variable of the shell not set?".into())));
    }
    let named: Vec<Named> = words.iter().map(|word| parse(word)).collect::<Result<_>>()?;
    let flake = named.first().map_or_else(|| ".".to_owned(), |first| first.flake.clone());
    if let Some(other) = named.iter().find(|each| each.flake != flake) {
        return Err(Failure::unchanged(format!(
            "one run cannot deploy machines of two flakes: `{flake}` and `{}`",
            other.flake
        ))
        .hint(Some("run deploy once for each flake".into())));
    }
    if named.is_empty() || named.iter().any(|each| each.machine.is_none()) {
        return Ok(Selection { flake, names: None, aim: Aim::Deploy });
    }
    let mut names: Vec<Word> = Vec::new();
    for name in named.into_iter().filter_map(|each| each.machine) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(Selection { flake, names: Some(names), aim: Aim::Deploy })
}

/// The name in `known` that `word` probably stands for.
pub fn nearest<'k>(word: &str, known: &'k [String]) -> Option<&'k str> {
    let near = |name: &&String| levenshtein(word, name) <= 1 + name.len() / 3;
    known.iter().filter(near).min_by_key(|name| levenshtein(word, name)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_documented() {
        let read = |word: &str| {
            let named = parse(word).unwrap();
            (named.flake, named.machine.map(|word| word.to_string()).unwrap_or_default())
        };
        assert_eq!(read("frame1"), (".".into(), "frame1".into()));
        assert_eq!(read(".#frame1"), (".".into(), "frame1".into()));
        assert_eq!(read("#frame1"), (".".into(), "frame1".into()));
        assert_eq!(read("path/or/ref#frame1"), ("path/or/ref".into(), "frame1".into()));
        assert_eq!(read("github:a/b"), ("github:a/b".into(), String::new()));
        assert_eq!(read("."), (".".into(), String::new()));
        assert_eq!(read(".#\"a.b\""), (".".into(), "\"a.b\"".into()));
        assert_eq!(read(".?submodules=1"), (".?submodules=1".into(), String::new()));
        assert_eq!(read("flake:homelab"), ("flake:homelab".into(), String::new()));
    }

    #[test]
    fn a_slip_finds_the_nearest_machine() {
        let known = ["frame1".to_owned(), "installer".to_owned()];
        assert_eq!(nearest("fraem1", &known), Some("frame1"));
        assert_eq!(nearest("xyz", &known), None);
    }

    #[test]
    fn one_run_is_about_one_flake() {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let names = select(&words(&["a", ".#b", "a"])).unwrap().names.unwrap();
        assert_eq!(names.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b"]);
        let all = Selection { flake: ".".into(), names: None, aim: Aim::Deploy };
        assert_eq!(select(&[]).unwrap(), all);
        assert!(select(&words(&["a", "x/y#b"])).is_err());
    }
}
