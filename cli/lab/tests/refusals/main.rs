//! What `deploy` refuses, one file for each case in `cases/`: the listing of that folder is
//! the list of promises. A case changes the flake or a machine, runs one command line, and
//! says how it ends, what is printed and that the machine is as it was.
//!
//! `cargo test -p deploy-lab --test refusals -- [WORDS OF NAMES]`; with the environment
//! variable `UPDATE_REFUSALS=1` what is printed becomes what is expected. One trial is no case:
//! `variants` compares the cases with the programs' error variants.

mod bench;
mod case;
mod declared;
mod here;
mod lab;
mod machine;
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
#[path = "../../../deploy/tests/sources/mod.rs"]
mod sources;
mod variants;
mod words;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{Context, Result};
use deploy_lab::hosts::reexec;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::case::{Case, Place};

/// Labs that work at once, with two hosts each.
const LABS: usize = 2;

/// How a case went: its name, and what is wrong.
type Verdict = (String, Option<String>);

fn main() -> ExitCode {
    let ended = match reexec::dispatch() {
        Ok(Some(inside)) => lab::inside(&inside).map(|()| ExitCode::SUCCESS),
        Ok(None) => run(),
        Err(error) => Err(error),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // Trials only wait for their verdicts.
    arguments.test_threads = Some(1);
    let cases = Case::all()?;
    let wanted: Vec<Case> = if arguments.list {
        Vec::new()
    } else {
        cases.iter().filter(|case| is_wanted(&arguments, &case.name)).cloned().collect()
    };
    let mut verdicts = begin(wanted);
    let mut trials: Vec<Trial> = cases
        .iter()
        .map(|case| {
            let verdict = verdicts.remove(&case.name);
            Trial::test(case.name.clone(), move || wait(verdict))
        })
        .collect();
    let compared = move || variants::compare(&cases).map_err(|error| format!("{error:#}").into());
    trials.insert(0, Trial::test(variants::NAME, compared));
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// As the test runner chooses: what it does not run need not be begun.
fn is_wanted(arguments: &Arguments, name: &str) -> bool {
    let matches = |word: &String| if arguments.exact { name == word } else { name.contains(word) };
    arguments.filter.as_ref().is_none_or(matches) && !arguments.skip.iter().any(matches)
}

type Waiting = Receiver<Option<String>>;

/// Deals the cases out to labs, and those without hosts to this machine.
fn begin(cases: Vec<Case>) -> BTreeMap<String, Waiting> {
    let mut waiting = BTreeMap::new();
    let mut senders = BTreeMap::new();
    for case in &cases {
        let (sender, receiver) = mpsc::channel();
        senders.insert(case.name.clone(), sender);
        waiting.insert(case.name.clone(), receiver);
    }
    let (sender, verdicts) = mpsc::channel::<Verdict>();
    let (alone, on_hosts): (Vec<Case>, Vec<Case>) =
        cases.into_iter().partition(|case| case.place() == Place::Here);
    let mut hands: Vec<Vec<String>> = vec![Vec::new(); LABS.min(on_hosts.len())];
    let count = hands.len().max(1);
    for (at, case) in on_hosts.into_iter().enumerate() {
        hands[at % count].push(case.name);
    }
    for names in hands {
        let sender = sender.clone();
        thread::spawn(move || lab::outside(&names, &sender));
    }
    thread::spawn(move || here::run(&alone, &sender));
    thread::spawn(move || {
        for (name, verdict) in verdicts {
            if let Some(sender) = senders.remove(&name) {
                // Nobody waits after an early end of the run.
                let _ = sender.send(verdict);
            }
        }
    });
    waiting
}

fn wait(verdict: Option<Waiting>) -> Result<(), Failed> {
    let verdict = verdict.context("it was not begun").map_err(|error| error.to_string())?;
    match verdict.recv() {
        Ok(None) => Ok(()),
        Ok(Some(wrong)) => Err(wrong.into()),
        Err(_) => Err("its lab ended before it".into()),
    }
}
