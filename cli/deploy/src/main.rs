//! `deploy`: deploys NixOS machines and keeps only what is confirmed.

mod args;
mod commands;
mod error;
mod outcome;
mod pipeline;
mod question;
mod report;
mod stages;
mod tools;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ExitCode::from(commands::run(args::CommandLine::parse()).await)
}
