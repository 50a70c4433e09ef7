//! `deploy secrets rotate`: a secret gets another value, of which no former reader knows.

use super::{
    Opened, done, edit, editor, failed, for_people, generate,
    made::{self, Making},
    open, put, shown,
    uses::{self, Uses},
};
use crate::{
    args::RotateArgs,
    error::{Failure, Result},
    report::{Event, Report},
    secrets::{answers::Answers, rules::Rule},
    tools::process,
};

/// Rotates it. 1: it is as it was.
pub async fn run(args: &RotateArgs) -> u8 {
    let report = for_people(&args.rules);
    match rotate(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

async fn rotate(args: &RotateArgs, report: &Report) -> Result<()> {
    process::leave_no_core();
    let opened = open(&args.rules, report).await?;
    let rule = opened.rule(&args.secret)?;
    let refused = || Failure::unchanged(format!("the secret {} was not rotated", rule.name));
    let Some(before) = put::before(&rule.path)? else {
        return Err(refused()
            .because(format!("there is no {}", shown(&rule.path, &opened.here)))
            .hint(Some(format!("deploy secrets new {}", rule.name))));
    };
    let uses = Uses::ask(&opened, &args.rules, report).await;
    if let Some(hash) = uses.hash_of(rule, &opened) {
        return Err(refused()
            .because(format!("it is the password whose hash is {}", hash.name))
            .hint(Some(format!("deploy secrets rotate {} makes both anew", hash.name))));
    }
    for hint in uses.hints(rule) {
        // Some are never to be changed.
        let text = format!("{}: its declaration says: {hint}", rule.name);
        report.tell(Event::Warning { machine: None, text });
    }
    let then = uses.deploy_words(rule);
    if args.generate || editor::is_wanted(&args.text) {
        let folder = uses::flake_of(&opened.rules.folder);
        if let Some(by) = uses.generator(rule)? {
            let made = generate::generate(by, rule, folder.as_deref()).await?;
            let of = (rule, Some(by));
            return made::write(&made, of, Making::Anew, &opened, (report, &then)).await;
        }
    }
    if args.generate {
        return Err(refused()
            .because("no machine declares what makes it")
            .hint(Some(format!("deploy secrets rotate {} asks for its text", rule.name))));
    }
    by_hand(args, rule, &before, &opened, (report, &then)).await
}

/// What was said instead. A public half that somebody else made is theirs to replace.
async fn by_hand(
    args: &RotateArgs,
    rule: &Rule,
    before: &[u8],
    opened: &Opened,
    (report, then): (&Report, &str),
) -> Result<()> {
    let draft = match editor::is_wanted(&args.text) {
        true => editor::edited(&args.text, rule, &[]).await?,
        false => editor::given(&args.text, rule)?,
    };
    let answers = Answers::default();
    if let Err(failure) = put::put(rule, &draft.text, Some(before), opened, &answers).await {
        return Err(draft.kept(failure, rule));
    }
    edit::remove(draft, rule, report).await;
    let beside = rule.path.with_extension("pub");
    if beside.exists() {
        let beside = shown(&beside, &opened.here);
        let text = format!("{beside} is as it was: it may belong to the key of before");
        report.tell(Event::Warning { machine: None, text });
    }
    done(report, rule, put::words(rule, opened, false) + then);
    Ok(())
}
