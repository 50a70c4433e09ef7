//! `deploy secrets list` and `check`: each secret, and how its file stands to its rule.

use std::io::ErrorKind;

use super::{Opened, open, uses::Uses};
use crate::{
    args::{CheckArgs, ListArgs},
    error::Result,
    outcome,
    report::{Event, Report, SecretShown, SecretState, UserShown},
    secrets::{
        compared::{self, Difference},
        head::Head,
        recipient::Recipient,
        rules::Rule,
    },
    stages::fleet::DeclaredSecret,
};

/// Shows each. 0: it could be looked; 6: it could not.
pub async fn list(args: &ListArgs) -> u8 {
    let ListArgs { no_machines, look } = args;
    let report = Report::new(look.shown.format(), look.rules.detail());
    match all(look, !no_machines, &report).await {
        Ok(secrets) => {
            secrets.into_iter().for_each(|secret| report.tell(Event::Secret(secret)));
            0
        }
        Err(failure) => {
            report.tell(Event::Failed(failure));
            outcome::COULD_NOT_LOOK
        }
    }
}

/// Shows what is to be mended. 0: nothing; 1: something; 6: it could not be looked.
pub async fn check(args: &CheckArgs) -> u8 {
    let report = Report::new(args.shown.format(), args.rules.detail());
    let secrets = match all(args, false, &report).await {
        Ok(secrets) => secrets,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            return outcome::COULD_NOT_LOOK;
        }
    };
    let count = secrets.len();
    let counted = secrets.iter().filter(|secret| secret.counted_only).count();
    let is_bad = |secret: &SecretShown| secret.state != SecretState::AsTheRule;
    let bad: Vec<SecretShown> = secrets.into_iter().filter(is_bad).collect();
    let mut text = match bad.len() {
        0 => format!("{count} secrets are encrypted to the keys of their rules"),
        bad => format!("{bad} of {count} secrets are to be mended"),
    };
    if counted > 0 {
        text += &format!("; of {counted} some keys are counted only: no file names age's own keys");
    }
    let code = if bad.is_empty() { 0 } else { outcome::FINDING };
    bad.into_iter().for_each(|secret| report.tell(Event::Secret(secret)));
    report.tell(Event::SecretsDone { secret: None, text });
    code
}

async fn all(args: &CheckArgs, machines: bool, report: &Report) -> Result<Vec<SecretShown>> {
    let opened = open(&args.rules, report).await?;
    let known = opened.rules.recipients();
    let rules = opened.rules_of(&args.secrets)?;
    let uses = match machines {
        true => Uses::ask(&opened, &args.rules, report).await,
        false => Uses::unknown(),
    };
    Ok(rules.into_iter().map(|rule| look(rule, &opened, &known, &uses)).collect())
}

fn look(rule: &Rule, opened: &Opened, known: &[Recipient], uses: &Uses) -> SecretShown {
    let user = |declared: &DeclaredSecret| UserShown {
        machine: declared.machine.clone(),
        services: declared.services.clone(),
    };
    SecretShown {
        name: rule.name.clone(),
        file: super::shown(&rule.path, &opened.here),
        readers: opened.names(&rule.recipients),
        state: state(rule, opened, known),
        counted_only: compared::is_counted_only(&rule.recipients),
        used_by: uses.of(rule).map(|declared| declared.into_iter().map(user).collect()),
    }
}

fn state(rule: &Rule, opened: &Opened, known: &[Recipient]) -> SecretState {
    // A link that leads nowhere is no file either.
    if rule.path.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return SecretState::Missing;
    }
    let head = match Head::read(&rule.path) {
        Ok(head) => head,
        Err(why) => return SecretState::Damaged { why },
    };
    let difference = compared::compare(&head, &rule.recipients, known);
    if difference.is_none() {
        return SecretState::AsTheRule;
    }
    let Difference { lacks, unknown, counted } = difference;
    SecretState::Differs { lacks: opened.names(&lacks), unknown, counted }
}
