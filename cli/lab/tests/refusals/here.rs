//! Cases that need the program alone.

use std::process::Command;
use std::sync::mpsc::Sender;

use anyhow::{Context, Result};
use deploy_lab::hosts::programs;

use crate::case::Case;
use crate::{Verdict, words};

/// Runs the cases one after the other.
pub fn run(cases: &[Case], verdicts: &Sender<Verdict>) {
    for case in cases {
        let verdict = one(case).unwrap_or_else(|error| Some(format!("{error:#}")));
        // Nobody waits after an early end of the run.
        let _ = verdicts.send((case.name.clone(), verdict));
    }
}

/// In an empty folder, with no other program on PATH than the shell's own folder has.
fn one(case: &Case) -> Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let programs = programs::folder()?.join("bin");
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{} 2>&1", case.text.command)])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .env("HOME", folder.path())
        .output()
        .context("cannot start /bin/sh")?;
    let exit = output.status.code().context("it was killed")?;
    words::compare(case, exit, &String::from_utf8_lossy(&output.stdout))
}
