//! Texts that name keys are changed, and what is encrypted follows: both, or neither.
//!
//! Nix decides what a changed text means: the rules are evaluated from it, and where they say anything
//! else than what was meant, or a secret cannot be encrypted anew, the texts are put back.

use std::{fs, io, path::PathBuf};

use zeroize::Zeroizing;

use super::super::{Opened, cut_off, evaluated, put, rekey, shown};
use crate::{
    args::{KeyArgs, RulesArgs},
    error::{Failure, Result, State},
    report::Report,
    secrets::{answers::Answers, lock, recipient::Recipient, rules::Rule, written},
    tools::terminal::Interrupts,
};

/// A file that gets another text.
pub struct Rewritten {
    /// The file.
    pub file: PathBuf,
    /// What is in it.
    pub before: String,
    /// What is to be in it.
    pub after: String,
}

/// A secret that is written with the change, for a rule that the texts get.
#[derive(Clone)]
pub struct NewSecret {
    /// Its name in the rules.
    pub name: String,
    /// Its text.
    pub text: Zeroizing<Vec<u8>>,
}

/// What becomes of the keys.
#[derive(Clone)]
pub enum KeyChange {
    /// One more, in rules that take all of a set.
    Added(Recipient),
    /// The same, and one more rule: for a secret that this key cannot read.
    AddedWithSecret(Recipient, NewSecret),
    /// Another one in its place.
    Replaced(Recipient, Recipient),
    /// One less.
    Removed(Recipient),
}

impl KeyChange {
    /// Whether a rule's keys are what they were, but for this.
    fn explains(&self, before: &[Recipient], after: &[Recipient]) -> bool {
        let same = |left: &[Recipient], right: &[Recipient]| {
            left.iter().all(|key| right.contains(key)) && right.iter().all(|key| left.contains(key))
        };
        let without = |keys: &[Recipient], key: &Recipient| -> Vec<Recipient> {
            keys.iter().filter(|other| *other != key).cloned().collect()
        };
        match self {
            Self::Added(key) | Self::AddedWithSecret(key, _) => {
                same(before, after) || same(&[before, std::slice::from_ref(key)].concat(), after)
            }
            Self::Replaced(old, new) if before.contains(old) => {
                same(&[&without(before, old), std::slice::from_ref(new)].concat(), after)
            }
            Self::Replaced(..) => same(before, after),
            Self::Removed(key) => same(&without(before, key), after),
        }
    }
}

/// Writes the texts and encrypts anew; gives what the rules are then. `what` failed otherwise.
pub async fn apply(
    texts: &[Rewritten],
    change: &KeyChange,
    (opened, rules, keys): (&Opened, &RulesArgs, &KeyArgs),
    what: &str,
    report: &Report,
) -> Result<Opened> {
    let refused = || Failure::unchanged(what);
    let mut interrupts = Interrupts::listen().map_err(|error| refused().because(error))?;
    let _lock = lock::take(&opened.rules.folder).await?;
    cut_off::finish(&opened.rules.folder, report)?;
    for (number, text) in texts.iter().enumerate() {
        if let Err(error) = text.write() {
            let why = format!("{}: {error}", shown(&text.file, &opened.here));
            return Err(put_back(&texts[..number], opened, refused().because(why)));
        }
    }
    let mut written = None;
    let work = async {
        let after: Opened =
            evaluated(opened.at.clone(), opened.here.clone(), rules, report).await?;
        let changed = compared(opened, &after, change)?;
        if let KeyChange::AddedWithSecret(key, secret) = change {
            written = Some(secret.write(key, &after)?);
        }
        rekey::anew(&changed, &keys.identities, &after, report).await?;
        Result::Ok(after)
    };
    let ended = interrupts.unless_interrupted(work).await;
    // Files that have their names already are finished by the next rekey, by the new rules.
    let is_kept = match &ended {
        Some(Ok(_)) => true,
        Some(Err(failure)) => failure.state != State::Unchanged,
        None => false,
    };
    if let Some(file) = written.filter(|_| !is_kept) {
        let _ = fs::remove_file(file);
    }
    match ended {
        Some(Ok(after)) => Ok(after),
        Some(Err(failure)) if is_kept => Err(failure),
        Some(Err(failure)) => {
            let causes = std::iter::once(&failure.what).chain(&failure.causes);
            let whole = causes.fold(refused(), Failure::because).hint(failure.hint.clone());
            Err(put_back(texts, opened, whole))
        }
        None => Err(put_back(texts, opened, refused().because("it was interrupted"))),
    }
}

/// The rules whose keys are others now, where this change explains all of them.
fn compared<'o>(before: &Opened, after: &'o Opened, change: &KeyChange) -> Result<Vec<&'o Rule>> {
    let mut changed = Vec::new();
    let (old, new) = (&before.rules.list, &after.rules.list);
    let names = |rules: &[&Rule]| rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>();
    let is_new = |rule: &Rule| match change {
        KeyChange::AddedWithSecret(_, secret) => rule.name == secret.name,
        KeyChange::Added(_) | KeyChange::Replaced(..) | KeyChange::Removed(_) => false,
    };
    let new: Vec<&Rule> = new.iter().filter(|rule| !is_new(rule)).collect();
    if names(&old.iter().collect::<Vec<_>>()) != names(&new) {
        return Err(Failure::unchanged("there would be other rules than before"));
    }
    for (old, new) in old.iter().zip(new) {
        if !change.explains(&old.recipients, &new.recipients) {
            let readers = after.names(&new.recipients).join(", ");
            return Err(Failure::unchanged(format!(
                "the rule `{}` would be for {readers}",
                new.name
            )));
        }
        let same = old.recipients.len() == new.recipients.len()
            && old.recipients.iter().all(|key| new.recipients.contains(key));
        if !same {
            changed.push(new);
        }
    }
    Ok(changed)
}

impl NewSecret {
    /// Writes it for those of its rule; gives its file. A machine's private key must not be readable
    /// by the machine's own key: whoever takes the machine would have it for good.
    fn write(&self, key: &Recipient, after: &Opened) -> Result<PathBuf> {
        let refused = || Failure::unchanged(format!("the secret {} was not written", self.name));
        let rule = after.rules.list.iter().find(|rule| rule.name == self.name);
        let rule = rule.ok_or_else(|| refused().because("it got no rule"))?;
        if rule.recipients.contains(key) {
            return Err(refused().because("its own key would be a reader"));
        }
        if put::before(&rule.path)?.is_some() {
            return Err(refused().because(format!("{} is there", rule.path.display())));
        }
        let bytes = put::encrypted(rule, &self.text, &Answers::default())?;
        let staged = written::stage(&rule.path, &bytes).and_then(written::StagedFile::name);
        staged.map_err(|error| refused().because(error))?;
        Ok(rule.path.clone())
    }
}

impl Rewritten {
    fn write(&self) -> io::Result<()> {
        let written = written::stage(&self.file, self.after.as_bytes());
        written.and_then(written::StagedFile::name)
    }

    /// Unless somebody else has written it since.
    fn put_back(&self) -> io::Result<()> {
        if fs::read_to_string(&self.file)? != self.after {
            return Err(io::Error::other("somebody else has written it meanwhile"));
        }
        let written = written::stage(&self.file, self.before.as_bytes());
        written.and_then(written::StagedFile::name)
    }
}

fn put_back(texts: &[Rewritten], opened: &Opened, failure: Box<Failure>) -> Box<Failure> {
    texts.iter().fold(failure, |failure, text| match text.put_back() {
        Ok(()) => failure,
        Err(error) => {
            let file = shown(&text.file, &opened.here);
            failure
                .because(format!("{file}: {error}"))
                .state(State::Changed(format!("no secret was changed; {file} is not as it was")))
        }
    })
}
