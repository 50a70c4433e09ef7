//! `deploy`, as its program and its pages use it: the command line, and what it does.

#![forbid(unsafe_code)]

pub mod args;
mod commands;
mod error;
mod outcome;
mod pipeline;
mod queries;
mod question;
mod report;
mod stages;
mod tools;

/// What the program does under the name `ssh`, by which Nix finds it first where sudo on the
/// machine wants a password; `None` under its own name.
pub fn as_ssh() -> Option<std::process::ExitCode> {
    tools::ssh::as_ssh()
}

/// Does what the command line says; gives the exit code.
pub async fn run(line: args::CommandLine) -> u8 {
    tools::process::keep_exit_statuses();
    let code = commands::run(line).await;
    tools::process::wait_for_ending().await;
    code
}
