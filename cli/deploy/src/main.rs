//! `deploy`: deploys NixOS machines and keeps only what is confirmed.

use std::process::ExitCode;

use clap::Parser;
use deploy::{args::CommandLine, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ExitCode::from(run(CommandLine::parse()).await)
}
