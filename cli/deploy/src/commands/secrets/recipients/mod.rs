//! `deploy secrets recipients`: the keys of the rules, and what each can read; adding and removing
//! one.

pub mod add;
mod from_host;
mod remove;
pub mod rewritten;

use std::path::PathBuf;

use super::{Opened, open, shown};
use crate::{
    args::{RecipientsArgs, RecipientsCommand},
    outcome,
    report::{Event, KeyShown, Report},
    secrets::keys::{self, KeyBinding},
};

/// Shows each key. 6: the rules could not be read.
pub async fn run(args: &RecipientsArgs) -> u8 {
    match &args.change {
        Some(RecipientsCommand::Add(args)) => return add::run(args).await,
        Some(RecipientsCommand::Remove(args)) => return remove::run(args).await,
        None => {}
    }
    let report = Report::new(args.shown.format(), args.rules.detail());
    let opened = match open(&args.rules, &report).await {
        Ok(opened) => opened,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            return outcome::COULD_NOT_LOOK;
        }
    };
    for (key, name) in opened.owners.names(&opened.rules) {
        let reads = opened.rules.list.iter().filter(|rule| rule.recipients.contains(&key));
        report.tell(Event::Key(KeyShown {
            name,
            key: key.text().to_owned(),
            fingerprint: key.fingerprint().to_owned(),
            secrets: reads.map(|rule| rule.name.clone()).collect(),
        }));
    }
    0
}

/// The keys that have this name, each with its file and the text of that.
fn named(name: &str, opened: &Opened) -> Vec<(PathBuf, String, KeyBinding)> {
    let files = opened.owners.files().iter();
    let all = files.flat_map(|(file, text)| {
        let found = keys::bindings(text).into_iter().filter(|binding| binding.is(name));
        found.map(move |binding| (file.clone(), text.clone(), binding))
    });
    all.collect()
}

/// Several of them, in words.
fn listed(several: &[(PathBuf, String, KeyBinding)], opened: &Opened) -> String {
    let one = |(file, _, binding): &(PathBuf, String, KeyBinding)| {
        format!("{} in {}", binding.path.join("."), shown(file, &opened.here))
    };
    several.iter().map(one).collect::<Vec<_>>().join(", ")
}
