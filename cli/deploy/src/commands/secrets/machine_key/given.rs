//! The host key of a machine that is not installed yet. The public half goes where the machines' keys
//! are, the private half becomes a secret that the admins alone can read: so secrets are encrypted to
//! the machine before it is there, and whoever installs it has the key.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::super::{
    Opened, open_at,
    recipients::{
        add::KeyTarget,
        rewritten::{self, KeyChange, NewSecret, Rewritten},
    },
    show, shown,
};
use crate::{
    args::{KeyArgs, RulesArgs},
    error::{Failure, Result},
    report::Report,
    secrets::{generated, recipient::Recipient, rules},
};

/// The key that a machine gets.
#[derive(Debug, Clone, Copy)]
pub enum GivenKey<'k> {
    /// A new one. The text is a Nix expression for the readers of its private half, in the rules.
    Generated(&'k str),
    /// The one that the machine has.
    Public(&'k str),
}

/// What was written.
#[derive(Debug)]
pub struct KeyWritten {
    /// What happened, in words.
    pub text: String,
    /// A new file.
    pub file: Option<PathBuf>,
}

/// The name of the secret with a machine's private host key.
fn secret_of(machine: &str) -> String {
    format!("{machine}-host-key.age")
}

/// The private host key that [`give`] made for a machine, with its file; `None` if no rule is for it.
pub async fn kept(
    machine: &str,
    flake: &Path,
    (rules, identities): (&RulesArgs, &KeyArgs),
    report: &Report,
) -> Result<Option<(Zeroizing<Vec<u8>>, PathBuf)>> {
    show::text_from(flake, &secret_of(machine), rules, identities, report).await
}

/// Gives a machine its key, and encrypts anew what it is to read. `flake` is the folder from which
/// the rules are found.
pub async fn give(
    machine: &str,
    key: GivenKey<'_>,
    flake: &Path,
    (rules, identities): (&RulesArgs, &KeyArgs),
    report: &Report,
) -> Result<KeyWritten> {
    let opened = open_at(flake.to_owned(), rules, report).await?;
    let what = format!("the key of {machine} was not added");
    let refused = || Failure::unchanged(&what);
    // It may be there by `deploy secrets recipients add`.
    let target = KeyTarget::find(machine, &opened)
        .map_err(|(why, hint)| refused().because(why).hint(Some(hint)))?;
    let (file, name) = (shown(target.file(), &opened.here), target.name(machine));
    if let KeyTarget::Named(_, _, binding) = &target {
        return match key {
            GivenKey::Public(own) if own != binding.key => Err(refused()
                .because(format!("{file} has another key of that name"))
                .hint(Some(format!("deploy secrets recipients add {name} --from-host")))),
            _ => Ok(KeyWritten { text: format!("{name} is in {file} already"), file: None }),
        };
    }
    let (public, secret) = match key {
        GivenKey::Public(public) => (public.to_owned(), None),
        GivenKey::Generated(readers) => {
            let (public, secret) =
                generated_for(machine, readers, &opened).map_err(|why| refused().because(why))?;
            (public, Some(secret))
        }
    };
    let recipient = Recipient::parse(&public).map_err(|why| refused().because(why))?;
    let mut texts = vec![target.rewritten(machine, &public)];
    let mut change = KeyChange::Added(recipient.clone());
    let mut written = None;
    if let Some(GeneratedSecret { secret, readers }) = secret {
        add_rule(&mut texts, &secret.name, &readers, &opened)
            .map_err(|(why, hint)| refused().because(why).hint(Some(hint)))?;
        written = Some(opened.rules.folder.join(&secret.name));
        change = KeyChange::AddedWithSecret(recipient.clone(), secret);
    }
    let whole = (&opened, rules, identities);
    let after = rewritten::apply(&texts, &change, whole, &what, report).await?;
    let reads = after.rules.list.iter().filter(|rule| rule.recipients.contains(&recipient)).count();
    let mut text = match reads {
        0 => format!(
            "{name} is in {file}: no rule names it yet: put it into those of what it is to read, in {}",
            shown(&after.rules.file, &after.here)
        ),
        _ => format!("{name} is in {file}, and reads {reads} secrets"),
    };
    if let Some(file) = &written {
        text += &format!("; its private half is in {}", shown(file, &opened.here));
    }
    Ok(KeyWritten { text, file: written })
}

/// A new key's private half, and the expression for its readers.
struct GeneratedSecret {
    secret: NewSecret,
    readers: String,
}

fn generated_for(
    machine: &str,
    readers: &str,
    opened: &Opened,
) -> std::result::Result<(String, GeneratedSecret), String> {
    let name = secret_of(machine);
    let path = rules::file_named(&opened.rules.folder, &name)?;
    let is_there = opened.rules.list.iter().any(|rule| rule.path == path) || path.exists();
    if is_there {
        return Err(format!("{} or its rule is there already", shown(&path, &opened.here)));
    }
    let made = generated::ssh_key()?;
    let public = made.public.unwrap_or_default();
    let secret = NewSecret { name, text: made.text };
    Ok((public, GeneratedSecret { secret, readers: readers.to_owned() }))
}

/// Adds a rule to the text of the rules, which may be one of those that change anyway. The error has a
/// hint.
fn add_rule(
    texts: &mut Vec<Rewritten>,
    name: &str,
    readers: &str,
    opened: &Opened,
) -> std::result::Result<(), (String, String)> {
    let file = &opened.at.file;
    let known = opened.owners.files().iter().find(|(path, _)| path == file);
    let present = texts.iter_mut().find(|text| text.file == *file);
    let before = match &present {
        Some(text) => text.after.clone(),
        None => known.map(|(_, text)| text.clone()).unwrap_or_default(),
    };
    let after = rules::added(&before, name, readers).ok_or_else(|| {
        let file = shown(file, &opened.here);
        let by_hand = format!("add it to {file} by hand: \"{name}\".publicKeys = {readers};");
        (format!("{file} is no set that a rule can be added to"), by_hand)
    })?;
    match present {
        Some(text) => text.after = after,
        None => texts.push(Rewritten { file: file.clone(), before, after }),
    }
    Ok(())
}
