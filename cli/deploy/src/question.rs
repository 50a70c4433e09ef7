//! Yes-or-no questions on the terminal.

use std::{fmt, io};

use crate::tools::{
    printable::Printable,
    terminal::{self, Echo},
};

/// Why the operator did not agree.
#[derive(Debug)]
pub enum NotAgreed {
    /// The answer was not yes.
    No,
    /// The question could not be asked.
    Nobody(io::Error),
}

impl fmt::Display for NotAgreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("the answer was no"),
            Self::Nobody(error) => write!(f, "could not ask: {error}"),
        }
    }
}

/// Asks for a line. An empty one is the answer in brackets.
pub async fn ask_for_line(question: &str, usual: &str) -> io::Result<String> {
    let end = if usual.is_empty() { ":".to_owned() } else { format!(" [{usual}]:") };
    let answer = terminal::ask(Printable::line(&format!("{question}{end}")), Echo::Shown).await?;
    match answer.trim() {
        "" => Ok(usual.to_owned()),
        answer => Ok(answer.to_owned()),
    }
}

/// Asks for a name that stands for what would be lost; only the name itself means yes.
pub async fn ask_for_name(question: &str, name: &str) -> Result<(), NotAgreed> {
    let question = Printable::line(&format!("{question} Type {name} to go on:"));
    let answer = terminal::ask(question, Echo::Shown).await;
    match answer.map_err(NotAgreed::Nobody)?.trim() == name {
        true => Ok(()),
        false => Err(NotAgreed::No),
    }
}

/// Asks a question; only `y` and `yes` mean yes.
pub async fn ask_yes_or_no(question: &str) -> Result<(), NotAgreed> {
    let answer = terminal::ask(Printable::line(&format!("{question} [y/N]")), Echo::Shown).await;
    match answer.map_err(NotAgreed::Nobody)?.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(NotAgreed::No),
    }
}
