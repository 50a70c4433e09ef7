//! `deploy iso`: one file for each thing that it does.

mod flash;

use crate::{
    args::IsoArgs,
    error::Failure,
    outcome::{Ending, exit_code},
    report::{Detail, Event, Format, Report},
};

/// Does what is wanted; gives the exit code.
pub async fn run(args: &IsoArgs) -> u8 {
    let IsoArgs { flash, image, json } = args;
    let report = Report::new(if *json { Format::Json } else { Format::People }, Detail::Normal);
    match flash {
        Some(Some(device)) => flash::run(device, image.as_deref(), &report).await,
        _ => flash::list(&report).await,
    }
}

/// Tells a failure; the exit code of a command that did not do what it was to.
fn failed(report: &Report, failure: Box<Failure>) -> u8 {
    report.tell(Event::Failed(failure));
    exit_code(&[Ending::Unchanged])
}
