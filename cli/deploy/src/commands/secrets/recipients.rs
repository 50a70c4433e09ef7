//! `deploy secrets recipients`: the keys of the rules, and what each can read.

use super::open;
use crate::{
    args::RecipientsArgs,
    outcome,
    report::{Event, KeyShown, Report},
};

/// Shows each key. 6: the rules could not be read.
pub async fn run(args: &RecipientsArgs) -> u8 {
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
