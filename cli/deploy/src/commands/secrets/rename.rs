//! `deploy secrets rename`: a secret gets another name.

use std::path::Path;

use super::{Opened, done, failed, for_people, open, put, show, shown};
use crate::{
    args::RenameArgs,
    error::{Failure, Result},
    report::Report,
    secrets::{compared, head::Head, identities::Identities, lock, rules::Rule, written},
    tools::process,
};

/// Moves it. 1: it is where it was.
pub async fn run(args: &RenameArgs) -> u8 {
    let report = for_people(&args.rules);
    match rename(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

async fn rename(args: &RenameArgs, report: &Report) -> Result<()> {
    process::leave_no_core();
    let opened = open(&args.rules, report).await?;
    let (old, from) = opened.file(&args.old)?;
    let refused = || Failure::unchanged(format!("the secret {old} was not renamed"));
    let rules = shown(&opened.rules.file, &opened.here);
    let Some(rule) = opened.rules.named(&args.new, &opened.here) else {
        return Err(refused()
            .because(format!("{rules} has no rule for `{}`", args.new))
            .hint(Some(format!("change its name in {rules} first, then rename it"))));
    };
    let Some(bytes) = put::before(&from)? else {
        return Err(refused().because(format!("there is no {}", shown(&from, &opened.here))));
    };
    if put::before(&rule.path)?.is_some() {
        return Err(refused()
            .because(format!("{} is there already", shown(&rule.path, &opened.here)))
            .hint(Some(format!("deploy secrets rm {} removes it", rule.name))));
    }
    let head = Head::of(&bytes[..]).map_err(|why| refused().because(why))?;
    let bytes = match compared::compare(&head, &rule.recipients, &[]).is_none() {
        true => bytes,
        false => encrypted_anew(args, rule, &bytes).await?,
    };
    let moved = moved(&from, rule, &bytes, &opened).await?;
    moved.map_err(|error| refused().because(error))?;
    let (from, to) = (shown(&from, &opened.here), shown(&rule.path, &opened.here));
    done(report, rule, format!("was {old}; git add {from} {to}"));
    Ok(())
}

/// For those who read it under its new name.
async fn encrypted_anew(args: &RenameArgs, rule: &Rule, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut keys = Identities::load(&args.keys.identities)?;
    let text = show::decrypted(rule, bytes, &mut keys).await?;
    put::encrypted(rule, &text, keys.answers())
}

/// The new file is whole before the old one goes.
async fn moved(
    from: &Path,
    rule: &Rule,
    bytes: &[u8],
    opened: &Opened,
) -> Result<std::io::Result<()>> {
    let _lock = lock::take(&opened.rules.folder).await?;
    let written = written::stage(&rule.path, bytes).and_then(written::StagedFile::name);
    Ok(written.and_then(|()| std::fs::remove_file(from)).and_then(|()| written::sync_folder(from)))
}
