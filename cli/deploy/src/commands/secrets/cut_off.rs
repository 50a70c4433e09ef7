//! Writes that were cut off between two files: the next command that writes several finishes them.

use std::{io, path::Path};

use crate::{
    error::{Failure, Result, State},
    report::{Event, Report},
    secrets::together::{self, FinishedWrites},
};

/// Finishes what was cut off, and tells it. The lock is held.
pub fn finish(folder: &Path, report: &Report) -> Result<()> {
    let finished = together::finish(folder).map_err(|error| half_done(&error, folder))?;
    for name in &finished.named {
        let text = "a change that was cut off was finished".to_owned();
        report.tell(Event::SecretsDone { secret: Some(name.clone()), text });
    }
    tell_passed_over(&finished, report);
    Ok(())
}

/// Tells what somebody wrote since it was planned.
pub fn tell_passed_over(finished: &FinishedWrites, report: &Report) {
    for name in &finished.passed_over {
        let text = format!("{name}: somebody wrote it meanwhile: it was left alone");
        report.tell(Event::Warning { machine: None, text });
    }
}

/// Some files have got their names, and some may not have.
pub fn half_done(why: &io::Error, folder: &Path) -> Box<Failure> {
    Failure::unchanged("the secrets were not all written")
        .because(why)
        .state(State::NotKnown(format!(
            "some files in {} are as they were and some are new; each is whole",
            folder.display()
        )))
        .hint(Some("deploy secrets rekey finishes it".into()))
}
