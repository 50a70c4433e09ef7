//! `deploy`: deploys NixOS machines and keeps a system only once it is confirmed.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use deploy::{args::CommandLine, run};

fn main() -> ExitCode {
    deploy::as_ssh().unwrap_or_else(|| {
        CommandLine::complete();
        deploys()
    })
}

#[tokio::main(flavor = "current_thread")]
async fn deploys() -> ExitCode {
    ExitCode::from(run(CommandLine::read()).await)
}
