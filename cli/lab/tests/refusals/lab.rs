//! A lab that works through a hand of cases: they share its two hosts, as each puts back
//! what it changes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc::Sender;

use anyhow::{Context, Result, bail};
use deploy_lab::hosts::Lab;
use deploy_lab::hosts::reexec::Inside;
use deploy_lab::hosts::supervisor::Supervisor;
use deploy_lab::systems::sets;

use crate::Verdict;
use crate::bench::Bench;
use crate::case::Case;

const WORD: &str = "cases";

/// Starts a lab for these cases and passes on their verdicts. Those of a lab that cannot
/// be started, or that breaks, are its error.
pub fn outside(names: &[String], verdicts: &Sender<Verdict>) {
    let mut left: Vec<String> = names.to_vec();
    let heard = hear(names, |verdict| {
        left.retain(|name| *name != verdict.0);
        // Nobody waits after an early end of the run.
        let _ = verdicts.send(verdict);
    });
    let error =
        heard.err().map_or_else(|| "its lab ended".to_owned(), |error| format!("{error:#}"));
    for name in left {
        let _ = verdicts.send((name, Some(error.clone())));
    }
}

fn hear(names: &[String], mut tell: impl FnMut(Verdict)) -> Result<()> {
    let errors = tempfile::NamedTempFile::new()?;
    let stderr: File = errors.reopen()?;
    let (reader, writer) = std::io::pipe()?;
    let words: Vec<&OsStr> =
        std::iter::once(WORD).chain(names.iter().map(String::as_str)).map(OsStr::new).collect();
    let mut lab = Supervisor::start(&words, |command| {
        command.stdout(writer).stderr(stderr);
    })?;
    for line in BufReader::new(reader).lines() {
        tell(serde_json::from_str(&line?)?);
    }
    let status = lab.wait()?;
    if !status.success() {
        bail!("{}\n({status})", std::fs::read_to_string(errors.path())?);
    }
    Ok(())
}

/// The inside of [`outside`]: prints one line for each case.
pub fn inside(inside: &Inside) -> Result<()> {
    let mut words = inside.words.iter().filter_map(|word| word.to_str());
    let kind = words.next().context("no words")?;
    let mut lab = Lab::enter(inside)?;
    if kind == sets::WORD {
        let name = words.next().context("no set")?;
        return sets::make_and_save(&mut lab, name);
    }
    let mut bench = Bench::set_up(&mut lab)?;
    for name in words {
        let case = Case::named(name)?;
        let verdict = bench.run(&case).unwrap_or_else(|error| Some(format!("{error:#}")));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&(name, verdict))?)?;
    }
    Ok(())
}
