//! What plugins and encrypted keys ask, each question once for a whole command.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use age::{
    Callbacks,
    secrecy::{ExposeSecret, SecretString},
};

use super::head::in_one_line;
use crate::tools::{
    printable::Printable,
    terminal::{self, Echo},
};

/// Asks on the terminal, and remembers.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    given: HashMap<String, SecretString>,
    /// What was answered from memory for this file: who asks again was not satisfied.
    used: HashSet<String>,
}

impl Answers {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file is begun with: each question may be answered from memory once.
    pub fn begin(&self) {
        self.memory().used.clear();
    }

    fn ask(&self, question: &str, echo: Echo) -> Option<SecretString> {
        let question = &in_one_line(question);
        let mut memory = self.memory();
        let is_first = memory.used.insert(question.to_owned());
        if let Some(given) = memory.given.get(question).filter(|_| is_first) {
            return Some(SecretString::from(given.expose_secret().to_owned()));
        }
        let typed = terminal::ask_at_once(&Printable::line(&format!("{question}:")), echo).ok()?;
        let kept = || SecretString::from(typed.as_str().to_owned());
        memory.given.insert(question.to_owned(), kept());
        Some(kept())
    }
}

impl Callbacks for Answers {
    fn display_message(&self, message: &str) {
        // Where there is no terminal nobody can touch a key either.
        let _ = terminal::tell(&Printable::line(&in_one_line(message)));
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.map(|no| format!(", n: {no}")).unwrap_or_default();
        let question = Printable::line(&format!("{message} [y: {yes}{no}]"));
        let typed = terminal::ask_at_once(&question, Echo::Shown).ok()?;
        Some(matches!(typed.trim(), "y" | "Y" | "yes"))
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.ask(description, Echo::Shown).map(|text| text.expose_secret().to_owned())
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        self.ask(description, Echo::Hidden)
    }
}
