//! agenix's rules: a file of Nix's that says who can read which secret.

mod added;
mod evaluate;
mod find;
mod name;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use super::recipient::Recipient;
use crate::error::{Failure, Result};

pub use added::added;
pub use evaluate::evaluate;
pub use find::{RulesFile, find};
pub use name::path as file_named;

/// All rules of a file.
#[derive(Debug)]
pub struct SecretRules {
    /// The file that has them.
    pub file: PathBuf,
    /// The folder that the secrets' names are relative to: the file's own.
    pub folder: PathBuf,
    /// The rules, by name.
    pub list: Vec<Rule>,
}

/// The rule of a secret: its readers.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name in the rules: a file, relative to them.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The readers; at least one.
    pub recipients: Vec<Recipient>,
    /// Whether the file is to be in letters.
    pub armor: bool,
}

/// A rule as `rules.nix` gives it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRule {
    #[serde(default)]
    public_keys: Value,
    #[serde(default)]
    armor: Value,
    #[serde(default)]
    fields: Vec<String>,
    /// Nix's word for what it is instead of a set.
    kind: Option<String>,
}

impl SecretRules {
    /// Reads what the evaluation gave. All rules that are wrong are named together.
    fn read(at: &RulesFile, value: Value) -> Result<Self> {
        let not_rules = |why: String| {
            Failure::unchanged(format!("{} has no rules", at.file.display())).because(why)
        };
        if let Some(kind) = value["kind"].as_str() {
            return Err(not_rules(format!("it is a {kind}, not a set")).hint(Some(
                "a rule: { \"NAME.age\".publicKeys = [ \"ssh-ed25519 …\" ]; }".into(),
            )));
        }
        let raw: BTreeMap<String, RawRule> = serde_json::from_value(value["rules"].clone())
            .map_err(|error| not_rules(error.to_string()))?;
        let mut keys = Keys::default();
        let (mut list, mut wrong): (Vec<Rule>, Vec<String>) = (Vec::new(), Vec::new());
        for (name, raw) in raw {
            match rule(&at.folder, &name, &raw, &mut keys) {
                Ok(rule) => match list.iter().find(|other| other.path == rule.path) {
                    Some(other) => wrong.push(format!(
                        "the rules `{}` and `{name}` are for one file, {}",
                        other.name,
                        rule.path.display()
                    )),
                    None => list.push(rule),
                },
                Err(why) => wrong.push(format!("the rule `{}` {why}", name::shown(&name))),
            }
        }
        if wrong.is_empty() {
            let (file, folder) = (at.file.clone(), at.folder.clone());
            return Ok(Self { file, folder, list });
        }
        let what = match wrong.len() {
            1 => format!("a rule in {} is wrong", at.file.display()),
            count => format!("{count} rules in {} are wrong", at.file.display()),
        };
        Err(wrong.into_iter().fold(Failure::unchanged(what), Failure::because))
    }

    /// The rule that a word of the command line means: its name, with or without `.age`, or the
    /// file's path from `here`.
    pub fn named(&self, word: &str, here: &Path) -> Option<&Rule> {
        let is = |name: &str| self.list.iter().find(|rule| rule.name == name);
        let with_ending = format!("{word}.age");
        let path = name::tidied(&here.join(word));
        let is_path = |rule: &&Rule| rule.path == path;
        is(word).or_else(|| is(&with_ending)).or_else(|| self.list.iter().find(is_path))
    }

    /// All keys, each once, in the order in which the rules have them.
    pub fn recipients(&self) -> Vec<Recipient> {
        let mut all: Vec<Recipient> = Vec::new();
        for recipient in self.list.iter().flat_map(|rule| &rule.recipients) {
            if !all.contains(recipient) {
                all.push(recipient.clone());
            }
        }
        all
    }
}

/// The keys that were read before: two hundred rules have few.
#[derive(Default)]
struct Keys(BTreeMap<String, std::result::Result<Recipient, String>>);

impl Keys {
    fn read(&mut self, text: &str) -> std::result::Result<Recipient, String> {
        self.0.entry(text.to_owned()).or_insert_with(|| Recipient::parse(text)).clone()
    }
}

/// What is wrong follows the rule's name.
fn rule(
    folder: &Path,
    name: &str,
    raw: &RawRule,
    keys: &mut Keys,
) -> std::result::Result<Rule, String> {
    let path = name::path(folder, name)?;
    if let Some(kind) = &raw.kind {
        return Err(format!("is a {kind}, not a set with publicKeys"));
    }
    let mut texts = Vec::new();
    if raw.public_keys.is_null() {
        let has = match raw.fields.len() {
            0 => "nothing".to_owned(),
            _ => raw.fields.join(", "),
        };
        return Err(format!("has no publicKeys: it has {has}"));
    }
    flat(&raw.public_keys, &mut texts)?;
    let mut recipients: Vec<Recipient> = Vec::new();
    for text in texts {
        let short: String = text.chars().take(40).collect();
        let key = keys.read(text);
        let key = key.map_err(|why| format!("has a key that is none, `{short}`: {why}"))?;
        if !recipients.contains(&key) {
            recipients.push(key);
        }
    }
    if recipients.is_empty() {
        return Err("has no publicKeys: the list is empty, and nobody could read the file".into());
    }
    let armor = match &raw.armor {
        Value::Null => false,
        Value::Bool(armor) => *armor,
        other => return Err(format!("has an `armor` that is neither true nor false: {other}")),
    };
    Ok(Rule { name: name.to_owned(), path, recipients, armor })
}

/// The keys in lists of lists. A text of several lines, as a file of keys has them, is several.
fn flat<'v>(value: &'v Value, texts: &mut Vec<&'v str>) -> std::result::Result<(), String> {
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| flat(value, texts)),
        Value::String(text) if text.trim().contains('\n') => {
            let is_key = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
            texts.extend(text.lines().filter(is_key));
            Ok(())
        }
        Value::String(text) => {
            texts.push(text);
            Ok(())
        }
        other => {
            let kind = other["kind"].as_str().unwrap_or("value").to_owned();
            Err(format!("has a key that is none: a {kind}, not a text"))
        }
    }
}

#[cfg(test)]
mod tests;
