//! The commands, one file for each. A command selects machines and says how far down the pipeline
//! it goes; what happens to a machine is in the stages, and every word of output in the report.

mod adopt;
mod build;
mod deploy;
mod evaluate;
mod install;
mod iso;
mod linux_build;
mod logs;
mod new;
mod plan;
mod push;
mod rollback;
mod secrets;
mod status;
mod vm;

use crate::args::{Command, CommandLine};

/// Runs the command; returns the exit code.
pub async fn run(line: CommandLine) -> u8 {
    match line.command {
        None => deploy::run(&line.deploy).await,
        Some(Command::Build(args)) => build::run(&args).await,
        Some(Command::Push(args)) => push::run(&args).await,
        Some(Command::Rollback(args)) => rollback::run(&args).await,
        Some(Command::Plan(args)) => plan::run(&args).await,
        Some(Command::Status(args)) => status::run(&args).await,
        Some(Command::Logs(args)) => logs::run(&args).await,
        Some(Command::Secrets(command)) => secrets::run(&command).await,
        Some(Command::New(args)) => new::run(&args).await,
        Some(Command::Adopt(args)) => adopt::run(&args).await,
        Some(Command::Vm(args)) => vm::run(&args).await,
        Some(Command::Iso(args)) => iso::run(&args).await,
        Some(Command::Install(args)) => install::run(&args).await,
    }
}
