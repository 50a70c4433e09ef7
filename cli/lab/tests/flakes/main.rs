//! The shapes that flakes have: one file each in `shapes/`, whose name is the promise. A shape
//! is evaluated by `deploy plan` under real Nix, without a machine: an `ssh` in the login's
//! place says where it was to go. What must come out is what a person would expect of the
//! flake, or a sentence that helps. `beside_agenix` and `new_machine` run where they do.
//!
//! `cargo test -p deploy-lab --test flakes -- [PART OF A NAME]`; `--list` is the list.

mod beside_agenix;
mod new_machine;
mod shape;

use std::process::ExitCode;

use anyhow::Result;
use deploy_lab::hosts::reexec;
use libtest_mimic::{Arguments, Trial};

use crate::shape::Shape;

fn main() -> ExitCode {
    let ended = match reexec::dispatch() {
        Ok(_) => run(),
        Err(error) => Err(error),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // Their work is Nix's, which two processors do.
    arguments.test_threads.get_or_insert(2);
    let trial = |shape: Shape| {
        Trial::test(shape.name.clone(), move || {
            shape.holds().map_err(|error| format!("{error:#}").into())
        })
    };
    let mut trials: Vec<Trial> = Shape::all()?.into_iter().map(trial).collect();
    trials.push(other(beside_agenix::NAME, beside_agenix::holds, beside_agenix::missing()));
    trials.push(other(new_machine::NAME, new_machine::holds, new_machine::missing()));
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// What is no shape; it is skipped, with a line, where `missing` says why.
fn other(name: &'static str, holds: fn() -> Result<()>, missing: Option<String>) -> Trial {
    if let Some(why) = &missing {
        eprintln!("skipped: {name}: {why}");
    }
    let trial = Trial::test(name, move || holds().map_err(|error| format!("{error:#}").into()));
    trial.with_ignored_flag(missing.is_some())
}
