//! `deploy secrets recipients remove`: a key that is to read nothing any more.

use super::{
    super::{done_all, failed, for_people, open, shown},
    rewritten::{self, KeyChange, Rewritten},
};
use crate::{
    args::RemoveRecipientArgs,
    error::{Failure, Result},
    report::Report,
    secrets::{keys, recipient::Recipient},
    tools::process,
};

/// Removes it. 1: nothing was changed, or as the failure says.
pub async fn run(args: &RemoveRecipientArgs) -> u8 {
    let report = for_people(&args.rules);
    match remove(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

async fn remove(args: &RemoveRecipientArgs, report: &Report) -> Result<()> {
    process::leave_no_core();
    let name = &args.name;
    let what = format!("the key of {name} was not removed");
    let refused = || Failure::unchanged(&what);
    let opened = open(&args.rules, report).await?;
    let rules = shown(&opened.rules.file, &opened.here);
    let found = super::named(name, &opened);
    let binding = match found.as_slice() {
        [(_, _, binding)] => binding,
        [] => {
            return Err(refused()
                .because(format!("neither {rules} nor what it imports has a key of that name"))
                .hint(Some("deploy secrets recipients shows the names".into())));
        }
        several => {
            let names = super::listed(several, &opened);
            return Err(refused()
                .because(format!("several keys have that name: {names}"))
                .hint(Some("name it with its set, as machines.NAME".into())));
        }
    };
    let key = Recipient::parse(&binding.key).map_err(|why| refused().because(why))?;
    let could_read: Vec<String> = opened
        .rules
        .list
        .iter()
        .filter(|rule| rule.recipients.contains(&key) && rule.path.exists())
        .map(|rule| rule.name.clone())
        .collect();
    let texts = opened.owners.files().iter().map(|(file, before)| Rewritten {
        file: file.clone(),
        after: keys::without(before, binding),
        before: before.clone(),
    });
    let texts: Vec<Rewritten> = texts.filter(|text| text.before != text.after).collect();
    let change = KeyChange::Removed(key);
    let whole = (&opened, &args.rules, &args.keys);
    let removed = rewritten::apply(&texts, &change, whole, &what, report).await;
    removed.map_err(|failure| match failure.hint {
        Some(_) => failure,
        None => failure.hint(Some(format!(
            "it is taken out of lists of keys alone: where {rules} names it otherwise, or it is \
             the only reader of a secret, change that by hand first"
        ))),
    })?;
    let files: Vec<String> = texts.iter().map(|text| shown(&text.file, &opened.here)).collect();
    let shown_name = binding.path.join(".");
    let then = match could_read.is_empty() {
        true => "it could read nothing".to_owned(),
        false => format!(
            "it could read {}, and still can what is in the repository's history: deploy secrets \
             rotate each of them",
            could_read.join(", ")
        ),
    };
    done_all(report, format!("{shown_name} is no longer in {}: {then}", files.join(", ")));
    Ok(())
}
