//! `deploy-agent`: the part of `deploy` that runs on the machine as root. It switches, checks,
//! commits and rolls back, whatever happens to the operator.

#![forbid(unsafe_code)]

mod args;
mod attempt;
mod builder;
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
    // Do not inherit the umask of the operator's login. With 000, everybody could write to the
    // files that Nix and the new system's programs create; with 077, nobody could read them.
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
        Command::Serve { builder: Some(word), .. } => receive::receive_from_builder(&word),
        Command::Serve { stdio: true, .. } => receive::receive(),
        Command::Serve { trusted, .. } => serve::serve(trusted.into()),
        Command::Status => console::status(),
        Command::Checks => console::checks(),
        Command::Confirm { attempt } => console::confirm(&attempt),
        Command::Boot => console::boot(),
        Command::Run { attempt } => attempt::watch::run(&Agent::open()?, &attempt),
        Command::Switch { attempt, step } => attempt::switch::run(&attempt, step),
        Command::Expire { attempt } => attempt::expire::expire(&Agent::open()?, &attempt),
    }
}
