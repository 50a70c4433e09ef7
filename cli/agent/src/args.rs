//! The command line.

use clap::{Parser, Subcommand};
use deploy_wire::attempt::AttemptId;

use crate::attempt::switch::Step;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (wire 1)");

/// The part of `deploy` that runs on the machine, as root.
#[derive(Debug, Parser)]
#[command(name = "deploy-agent", version = VERSION)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer requests on stdin; `deploy` starts this over SSH
    Serve {
        /// Carry Nix's own protocol instead, as `nix-daemon --stdio` does
        #[arg(long)]
        stdio: bool,
        /// Believe what a request says of its commands and its login: for who is root anyway
        #[arg(long, conflicts_with = "stdio")]
        trusted: bool,
        /// Receive what a builder pushes with a one-time key: the only command of that key
        #[arg(long, value_name = "WORD", conflicts_with_all = ["stdio", "trusted"])]
        builder: Option<String>,
    },
    /// Show what runs, what boots and the last attempt
    Status,
    /// Look once at each check that the running system declares; ends with 1 if one fails
    Checks,
    /// Confirm an attempt from the console
    Confirm {
        /// The attempt
        #[arg(value_parser = AttemptId::parse)]
        attempt: AttemptId,
    },
    /// Finish an attempt that a power cut left open
    Boot,
    /// Watch an attempt to its end (started by systemd)
    #[command(hide = true)]
    Run {
        /// The attempt
        #[arg(value_parser = AttemptId::parse)]
        attempt: AttemptId,
    },
    /// Run one step of an attempt (started by systemd)
    #[command(hide = true)]
    Switch {
        /// The attempt
        #[arg(value_parser = AttemptId::parse)]
        attempt: AttemptId,
        /// The step
        #[arg(value_parser = Step::parse)]
        step: Step,
    },
    /// Take over an attempt at its deadline (started by systemd)
    #[command(hide = true)]
    Expire {
        /// The attempt
        #[arg(value_parser = AttemptId::parse)]
        attempt: AttemptId,
    },
}
