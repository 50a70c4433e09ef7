//! The library behind the `deploy` program and its manual pages: the command line and the commands.

#![forbid(unsafe_code)]

pub mod args;
mod commands;
mod error;
mod install;
mod iso;
mod outcome;
mod pipeline;
mod queries;
mod question;
mod report;
mod scaffold;
mod secrets;
mod stages;
mod tools;
mod vm;

/// Acts as `ssh` if the program was started under that name; returns `None` otherwise. Nix finds
/// this `ssh` first when sudo on the machine needs a password.
pub fn as_ssh() -> Option<std::process::ExitCode> {
    tools::ssh::as_ssh()
}

/// Runs the command line; returns the exit code.
pub async fn run(line: args::CommandLine) -> u8 {
    tools::process::keep_exit_statuses();
    let code = commands::run(line).await;
    tools::process::wait_for_ending().await;
    code
}
