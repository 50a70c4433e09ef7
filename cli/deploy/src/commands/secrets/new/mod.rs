//! `deploy secrets new`: a secret that nobody has made yet, or all of a machine's.

mod of_machine;

use super::{
    Opened, edit, editor, failed, for_people, generate,
    made::{self, Making},
    open, put, shown,
    uses::{self, Uses},
};
use crate::{
    args::NewArgs,
    error::{Failure, Result},
    report::Report,
    secrets::rules::Rule,
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
    match opened.rules.named(&args.name, &opened.here) {
        Some(rule) => one(rule, args, &opened, report).await,
        None if is_a_machine(&args.name, &opened) => of_machine::make(args, &opened, report).await,
        None => opened.rule(&args.name).map(|_| ()),
    }
}

/// What may be one: a flake's word, or a bare word where there is a flake.
fn is_a_machine(word: &str, opened: &Opened) -> bool {
    let is_flake = opened.here.ancestors().any(|folder| folder.join("flake.nix").is_file());
    word.contains('#') || is_flake && !word.ends_with(".age")
}

async fn one(rule: &Rule, args: &NewArgs, opened: &Opened, report: &Report) -> Result<()> {
    let refused = |what: &str| Failure::unchanged(format!("the secret {} {what}", rule.name));
    if put::before(&rule.path)?.is_some() {
        return Err(refused("is there already")
            .because(shown(&rule.path, &opened.here))
            .hint(Some(format!("deploy secrets edit {}", rule.name))));
    }
    if args.generate || editor::is_wanted(&args.text) {
        let uses = Uses::ask(opened, &args.rules, report).await;
        let folder = uses::flake_of(&opened.rules.folder);
        if let Some(by) = uses.generator(rule)? {
            let made = generate::generate(by, rule, folder.as_deref()).await?;
            return made::write(&made, (rule, Some(by)), Making::New, opened, (report, "")).await;
        }
    }
    if args.generate {
        return Err(refused("was not made")
            .because("no machine declares what makes it")
            .hint(Some(format!("deploy secrets new {} asks for it", rule.name))));
    }
    let draft = match editor::is_wanted(&args.text) {
        true => editor::edited(&args.text, rule, &[]).await?,
        false => editor::given(&args.text, rule)?,
    };
    edit::write(rule, draft, None, opened, report).await
}
