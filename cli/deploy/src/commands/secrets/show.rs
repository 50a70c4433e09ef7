//! `deploy secrets show`: a secret's text, as it is.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{for_people, open, open_at};
use crate::{
    args::{KeyArgs, RulesArgs, ShowArgs},
    error::{Failure, Result},
    outcome,
    report::{Event, Report, secret_text},
    secrets::{
        encrypted::{self, NotOpened},
        head::Head,
        identities::Identities,
        rules::{self, Rule},
    },
    tools::process,
};

/// Prints it. 6: it could not be read.
pub async fn run(args: &ShowArgs) -> u8 {
    let report = for_people(&args.rules);
    match text(args, &report).await {
        Ok(text) => {
            secret_text(&text);
            0
        }
        Err(failure) => {
            report.tell(Event::Failed(failure));
            outcome::COULD_NOT_LOOK
        }
    }
}

async fn text(args: &ShowArgs, report: &Report) -> Result<Zeroizing<Vec<u8>>> {
    process::leave_no_core();
    let opened = open(&args.rules, report).await?;
    let rule = opened.rule(&args.secret)?;
    let bytes = read(rule, &opened.here)?;
    let mut keys = Identities::load(&args.keys.identities)?;
    decrypted(rule, &bytes, &mut keys).await
}

/// The text of a secret for another command; `None` if there are no rules, or none for it.
pub async fn text_of(
    secret: &str,
    args: &RulesArgs,
    keys: &KeyArgs,
    report: &Report,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let here = std::env::current_dir().unwrap_or_default();
    let text = text_from(&here, secret, args, keys, report).await?;
    Ok(text.map(|(text, _)| text))
}

/// The same, with rules that are looked for from a folder; with the secret's file.
pub async fn text_from(
    here: &Path,
    secret: &str,
    args: &RulesArgs,
    keys: &KeyArgs,
    report: &Report,
) -> Result<Option<(Zeroizing<Vec<u8>>, PathBuf)>> {
    let named = args.rules.is_some() || std::env::var_os("RULES").is_some();
    // Rules that are named, or are there and wrong, are an error.
    if !named && rules::find(None, here).is_err() {
        return Ok(None);
    }
    let opened = open_at(here.to_owned(), args, report).await?;
    if opened.rules.named(secret, &opened.here).is_none() {
        return Ok(None);
    }
    process::leave_no_core();
    let rule = opened.rule(secret)?;
    let bytes = read(rule, &opened.here)?;
    let mut keys = Identities::load(&keys.identities)?;
    let text = decrypted(rule, &bytes, &mut keys).await?;
    Ok(Some((text, rule.path.clone())))
}

/// A secret's file, whole.
pub fn read(rule: &Rule, here: &Path) -> Result<Vec<u8>> {
    std::fs::read(&rule.path).map_err(|error| {
        let name = &rule.name;
        if error.kind() == std::io::ErrorKind::NotFound {
            return Failure::unchanged(format!("the secret {name} was never made"))
                .because(format!("there is no {}", super::shown(&rule.path, here)))
                .hint(Some(format!("deploy secrets new {name}")));
        }
        Failure::unchanged(format!("the secret {name} cannot be read")).because(error)
    })
}

/// Its text.
pub async fn decrypted(
    rule: &Rule,
    bytes: &[u8],
    keys: &mut Identities,
) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |why: String| {
        Failure::unchanged(format!("the secret {} cannot be decrypted", rule.name)).because(why)
    };
    let head = Head::of(bytes).map_err(failed)?;
    keys.unlock([&head]).await?;
    encrypted::decrypt(bytes, keys).map_err(|error| {
        let failure = failed(error.to_string());
        match error {
            NotOpened::NoKey => failure
                .because(format!("tried: {}", keys.names()))
                .hint(Some("name the key that can: -i FILE".into())),
            NotOpened::Other(_) => failure,
        }
    })
}
