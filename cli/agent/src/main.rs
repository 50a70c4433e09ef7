//! `deploy-agent`: the part of `deploy` that runs on the machine, as root. It
//! switches, checks, commits and goes back, whatever becomes of the operator.

mod agent;
mod args;
mod arm;
mod boot_files;
mod checks;
mod clock;
mod confirmation;
mod console;
mod events;
mod expire;
mod files;
mod ledger;
mod look;
mod passed;
mod paths;
mod receive;
mod recover;
mod roots;
mod serve;
mod stage;
mod switch;
mod systemd_boot;
mod tools;
mod transition;
mod units;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::{
    agent::Agent,
    args::{Args, Command},
};

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deploy-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { stdio: false } => serve::serve(),
        Command::Serve { stdio: true } => receive::receive(),
        Command::Status => console::status(),
        Command::Confirm { attempt } => console::confirm(&attempt),
        Command::Boot => console::boot(),
        Command::Run { attempt } => watch::run(&Agent::open()?, &attempt),
        Command::Switch { attempt, step } => switch::run(&attempt, step),
        Command::Expire { attempt } => expire::expire(&Agent::open()?, &attempt),
    }
}
