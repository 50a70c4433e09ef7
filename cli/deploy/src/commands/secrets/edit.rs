//! `deploy secrets edit`: another text for a secret.

use zeroize::Zeroizing;

use super::{Opened, done, editor, failed, for_people, open, put, show};
use crate::{
    args::EditArgs,
    error::Result,
    report::Report,
    secrets::{answers::Answers, identities::Identities, rules::Rule},
    tools::process,
};

/// Edits it. 1: it stays as it was.
pub async fn run(args: &EditArgs) -> u8 {
    let report = for_people(&args.rules);
    match edit(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

async fn edit(args: &EditArgs, report: &Report) -> Result<()> {
    process::leave_no_core();
    let opened = open(&args.rules, report).await?;
    let rule = opened.rule(&args.secret)?;
    let before = put::before(&rule.path)?;
    let (text, draft) = if editor::is_wanted(&args.text) {
        let text = match &before {
            Some(bytes) => {
                let mut keys = Identities::load(&args.keys.identities)?;
                Some(show::decrypted(rule, bytes, &mut keys).await?)
            }
            None => None,
        };
        let nothing: &[u8] = &[];
        let draft =
            editor::edited(&args.text, rule, text.as_deref().map_or(nothing, |t| t)).await?;
        (text, draft)
    } else {
        let draft = editor::given(&args.text, rule)?;
        (readable(args, rule, before.as_deref()).await, draft)
    };
    if text.as_ref().is_some_and(|text| **text == *draft.text) {
        remove(draft, rule, report).await;
        done(report, rule, "unchanged: its file was not touched");
        return Ok(());
    }
    write(rule, draft, before.as_deref(), &opened, report).await
}

/// The text of before, where a key opens it: nobody needs one to write another.
async fn readable(
    args: &EditArgs,
    rule: &Rule,
    before: Option<&[u8]>,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut keys = Identities::load(&args.keys.identities).ok()?;
    show::decrypted(rule, before?, &mut keys).await.ok()
}

/// Writes what was edited; where that fails, it is kept.
pub async fn write(
    rule: &Rule,
    draft: editor::Draft,
    before: Option<&[u8]>,
    opened: &Opened,
    report: &Report,
) -> Result<()> {
    let answers = Answers::default();
    if let Err(failure) = put::put(rule, &draft.text, before, opened, &answers).await {
        return Err(draft.kept(failure, rule));
    }
    remove(draft, rule, report).await;
    done(report, rule, put::words(rule, opened, before.is_none()));
    Ok(())
}

/// Removes the clear text. A failure is a warning: the secret is as it was wanted.
pub async fn remove(draft: editor::Draft, rule: &Rule, report: &Report) {
    if let Err(error) = draft.remove().await {
        let text = format!("{}: its clear text could not be removed: {error}", rule.name);
        report.tell(crate::report::Event::Warning { machine: None, text });
    }
}
