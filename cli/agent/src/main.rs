//! `deploy-agent`: the part of `deploy` that runs on the machine, as root. It
//! switches, checks, commits and goes back, whatever becomes of the operator.

#![forbid(unsafe_code)]

mod args;
mod attempt;
mod checks;
mod clock;
mod console;
mod machine;
mod receive;
mod serve;
mod storage;
mod tools;
mod trust;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use deploy_wire::printable::Printable;

use crate::{
    args::{Args, Command},
    attempt::agent::Agent,
};

fn main() -> ExitCode {
    // Of the operator's login nothing is taken over: what Nix and the new system's programs make
    // would be open to everybody with 000, and to nobody with 077.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deploy-agent: {}", Printable::line(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { stdio: true, .. } => receive::receive(),
        Command::Serve { stdio: false, trusted } => serve::serve(trusted.into()),
        Command::Status => console::status(),
        Command::Confirm { attempt } => console::confirm(&attempt),
        Command::Boot => console::boot(),
        Command::Run { attempt } => attempt::watch::run(&Agent::open()?, &attempt),
        Command::Switch { attempt, step } => attempt::switch::run(&attempt, step),
        Command::Expire { attempt } => attempt::expire::expire(&Agent::open()?, &attempt),
    }
}
