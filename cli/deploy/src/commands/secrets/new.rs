//! `deploy secrets new`: a secret that nobody has made yet.

use super::{edit, editor, failed, for_people, open, put, shown};
use crate::{
    args::NewArgs,
    error::{Failure, Result},
    report::Report,
    tools::process,
};

/// Makes it. 1: it was not made.
pub async fn run(args: &NewArgs) -> u8 {
    let report = for_people(&args.rules);
    match new(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

async fn new(args: &NewArgs, report: &Report) -> Result<()> {
    process::leave_no_core();
    let opened = open(&args.rules, report).await?;
    let rule = opened.rule(&args.secret)?;
    if put::before(&rule.path)?.is_some() {
        let file = shown(&rule.path, &opened.here);
        return Err(Failure::unchanged(format!("the secret {} is there already", rule.name))
            .because(file)
            .hint(Some(format!("deploy secrets edit {}", rule.name))));
    }
    let draft = match editor::is_wanted(&args.text) {
        true => editor::edited(&args.text, rule, &[]).await?,
        false => editor::given(&args.text, rule)?,
    };
    edit::write(rule, draft, None, &opened, report).await
}
