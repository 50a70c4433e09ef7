//! `deploy secrets`: one file for each of its commands.

mod cut_off;
mod edit;
mod editor;
mod generate;
mod list;
pub mod machine_key;
mod made;
mod new;
mod put;
mod recipients;
mod rekey;
mod remove;
mod rename;
mod rotate;
pub mod show;
mod uses;

use std::path::{Path, PathBuf};

use crate::{
    args::{RulesArgs, SecretsCommand},
    error::{Failure, Result},
    outcome,
    report::{Event, Format, Report},
    secrets::{
        names,
        owners::Owners,
        recipient::Recipient,
        rules::{self, Rule, RulesFile, SecretRules},
    },
    stages::flake,
};

/// Does what is wanted; gives the exit code.
pub async fn run(command: &SecretsCommand) -> u8 {
    match command {
        SecretsCommand::List(args) => list::list(args).await,
        SecretsCommand::Check(args) => list::check(args).await,
        SecretsCommand::Show(args) => show::run(args).await,
        SecretsCommand::Recipients(args) => recipients::run(args).await,
        SecretsCommand::Edit(args) => edit::run(args).await,
        SecretsCommand::New(args) => new::run(args).await,
        SecretsCommand::Rm(args) => remove::run(args).await,
        SecretsCommand::Rename(args) => rename::run(args).await,
        SecretsCommand::Rekey(args) => rekey::run(args).await,
        SecretsCommand::Rotate(args) => rotate::run(args).await,
    }
}

/// The rules, and how they are spoken of.
pub struct Opened {
    /// Where the rules were found.
    at: RulesFile,
    rules: SecretRules,
    owners: Owners,
    /// The current folder, from which files are named.
    here: PathBuf,
}

/// Finds the rules and evaluates them: once for a command.
async fn open(args: &RulesArgs, report: &Report) -> Result<Opened> {
    let here = std::env::current_dir()
        .and_then(|here| here.canonicalize())
        .map_err(|error| Failure::unchanged("the current folder cannot be read").because(error))?;
    open_at(here, args, report).await
}

/// The same from a folder, which files are named from.
async fn open_at(here: PathBuf, args: &RulesArgs, report: &Report) -> Result<Opened> {
    let RulesArgs { rules: named, verbose: _, nix_args: _ } = args;
    let wanted = std::env::var_os("RULES").filter(|rules| !rules.is_empty()).map(PathBuf::from);
    let at = rules::find(named.as_deref().or(wanted.as_deref()), &here)?;
    evaluated(at, here, args, report).await
}

/// What rules say that were found.
async fn evaluated(
    at: RulesFile,
    here: PathBuf,
    args: &RulesArgs,
    report: &Report,
) -> Result<Opened> {
    let (rules, warnings) = rules::evaluate(&at, &args.nix_args, args.errors()).await?;
    names::keep(&rules);
    for text in warnings {
        report.tell(Event::Warning { machine: None, text });
    }
    Ok(Opened { rules, owners: Owners::of(&at), at, here })
}

impl Opened {
    /// The rule that a word means.
    fn rule(&self, word: &str) -> Result<&Rule> {
        self.rules.named(word, &self.here).ok_or_else(|| {
            let names: Vec<String> = self.rules.list.iter().map(|rule| rule.name.clone()).collect();
            let file = self.rules.file.display();
            let hint = match flake::nearest(word, &names) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("deploy secrets list shows them; {file} is where one is added"),
            };
            Failure::unchanged(format!("no rule is for `{word}`"))
                .because(format!("{file} has {} others", names.len()))
                .hint(Some(hint))
        })
    }

    /// The rules that words mean; all without any.
    fn rules_of(&self, words: &[String]) -> Result<Vec<&Rule>> {
        if words.is_empty() {
            return Ok(self.rules.list.iter().collect());
        }
        let mut rules: Vec<&Rule> = Vec::new();
        for word in words {
            let rule = self.rule(word)?;
            if !rules.iter().any(|other| other.path == rule.path) {
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    /// The file that a word means, also where it has no rule any more: its name, and its place.
    fn file(&self, word: &str) -> Result<(String, PathBuf)> {
        if let Some(rule) = self.rules.named(word, &self.here) {
            return Ok((rule.name.clone(), rule.path.clone()));
        }
        let with_ending = format!("{word}.age");
        for name in [word, &with_ending] {
            if let Ok(path) = rules::file_named(&self.rules.folder, name)
                && path.is_file()
                && path.extension().is_some_and(|ending| ending == "age")
            {
                return Ok((name.to_owned(), path));
            }
        }
        self.rule(word).map(|rule| (rule.name.clone(), rule.path.clone()))
    }

    /// Whose keys these are.
    fn names(&self, keys: &[Recipient]) -> Vec<String> {
        keys.iter().map(|key| self.owners.name(key)).collect()
    }
}

/// Says what came of a secret.
fn done(report: &Report, secret: &Rule, text: impl Into<String>) {
    report.tell(Event::SecretsDone { secret: Some(secret.name.clone()), text: text.into() });
}

/// Says what came of all.
fn done_all(report: &Report, text: String) {
    report.tell(Event::SecretsDone { secret: None, text });
}

/// A file as the user would name it.
fn shown(file: &Path, here: &Path) -> String {
    file.strip_prefix(here).unwrap_or(file).display().to_string()
}

/// A report for a command that prints no documents.
fn for_people(args: &RulesArgs) -> Report {
    Report::new(Format::People, args.detail())
}

/// Tells a failure; the exit code of a command that changes files.
fn failed(report: &Report, failure: Box<Failure>) -> u8 {
    report.tell(Event::Failed(failure));
    outcome::exit_code(&[outcome::Ending::Unchanged])
}
