//! A text becomes a secret's: encrypted, and written whole or not at all.

use std::path::Path;

use super::{Opened, shown};
use crate::{
    error::{Failure, Result},
    secrets::{answers::Answers, encrypted, lock, rules::Rule, written},
};

/// What is in a secret's file now; nothing where there is none.
pub fn before(file: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::unchanged(format!("{} cannot be read", file.display())).because(error))
        }
    }
}

/// `text` for those of the rule.
pub fn encrypted(rule: &Rule, text: &[u8], answers: &Answers) -> Result<Vec<u8>> {
    encrypted::encrypt(text, &rule.recipients, rule.armor, answers).map_err(|why| failed(rule, why))
}

fn failed(rule: &Rule, why: String) -> Box<Failure> {
    Failure::unchanged(format!("the secret {} was not written", rule.name)).because(why)
}

/// Encrypts `text` to those of the rule, and writes it in place of `before`. Who wrote the file
/// meanwhile is not overwritten.
pub async fn put(
    rule: &Rule,
    text: &[u8],
    before: Option<&[u8]>,
    opened: &Opened,
    answers: &Answers,
) -> Result<()> {
    let bytes = encrypted(rule, text, answers)?;
    let _lock = lock::take(&opened.rules.folder).await?;
    if self::before(&rule.path)?.as_deref() != before {
        let file = shown(&rule.path, &opened.here);
        return Err(failed(rule, format!("somebody else has written {file} meanwhile")));
    }
    let written = written::stage(&rule.path, &bytes).and_then(written::StagedFile::name);
    written.map_err(|error| failed(rule, error.to_string()))
}

/// What was done, and whether git has to be told of it: a flake does not see what git does not
/// track.
pub fn words(rule: &Rule, opened: &Opened, is_new: bool) -> String {
    let to = opened.names(&rule.recipients).join(", ");
    let file = shown(&rule.path, &opened.here);
    match is_new {
        true => format!("encrypted to {to}; git add {file}"),
        false => format!("encrypted to {to}"),
    }
}
