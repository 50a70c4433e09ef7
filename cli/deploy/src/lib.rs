//! `deploy`, as its program and its pages use it: the command line, and what it does.

pub mod args;
mod commands;
mod error;
mod outcome;
mod pipeline;
mod question;
mod report;
mod stages;
mod tools;

/// Does what the command line says; gives the exit code.
pub async fn run(line: args::CommandLine) -> u8 {
    commands::run(line).await
}
