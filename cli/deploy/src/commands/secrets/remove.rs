//! `deploy secrets rm`: a secret that nobody needs any more.

use super::{failed, for_people, open, shown};
use crate::{
    args::RmArgs,
    error::{Failure, Result},
    question,
    report::{Event, Report},
    secrets::{lock, written},
};

/// Removes it. 1: it is still there.
pub async fn run(args: &RmArgs) -> u8 {
    let report = for_people(&args.rules);
    match remove(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

async fn remove(args: &RmArgs, report: &Report) -> Result<()> {
    let opened = open(&args.rules, report).await?;
    let (name, path) = opened.file(&args.secret)?;
    let file = shown(&path, &opened.here);
    let refused = || Failure::unchanged(format!("the secret {name} was not removed"));
    if path.symlink_metadata().is_err() {
        return Err(refused().because(format!("there is no {file}")));
    }
    if !args.yes {
        let asked = question::ask_yes_or_no(&format!("remove {file}?")).await;
        asked.map_err(|not| refused().because(not).hint(Some("--yes answers".into())))?;
    }
    let _lock = lock::take(&opened.rules.folder).await?;
    let removed = std::fs::remove_file(&path).and_then(|()| written::sync_folder(&path));
    removed.map_err(|error| refused().because(error))?;
    let rules = shown(&opened.rules.file, &opened.here);
    let text = match opened.rules.list.iter().any(|rule| rule.path == path) {
        true => format!("removed {file}; its rule is still in {rules}"),
        false => format!("removed {file}"),
    };
    report.tell(Event::SecretsDone { secret: Some(name), text });
    Ok(())
}
