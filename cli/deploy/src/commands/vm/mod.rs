//! `deploy vm`: one file for each of its commands, and for the parts of a start.

mod choose;
mod launch;
mod look;
mod prepare;
mod reach;
pub mod rehearse;
mod ssh;
mod start;
mod stop;
mod wait;

use crate::{
    args::{VmArgs, VmCommand},
    error::{Failure, Result},
    outcome::{Ending, exit_code},
    report::{Detail, Event, Format, Report},
    vm::{folder::VmFolder, keeper},
};

/// Does what is wanted; gives the exit code.
pub async fn run(args: &VmArgs) -> u8 {
    let VmArgs { command, start } = args;
    match command {
        None => start::run(start).await,
        Some(VmCommand::Status(args)) => look::status(args),
        Some(VmCommand::List(shown)) => look::list(shown),
        Some(VmCommand::Logs(args)) => look::logs(args).await,
        Some(VmCommand::Ssh(args)) => ssh::run(args),
        Some(VmCommand::Stop(args)) => stop::run(args.name.as_deref()).await,
        Some(VmCommand::Keep(args)) => keep(args.name.as_deref()).await,
    }
}

/// Keeps a machine, in a process of its own.
async fn keep(name: Option<&str>) -> u8 {
    let kept = async { keeper::keep(&named(name)?).await };
    match kept.await {
        Ok(()) => 0,
        Err(failure) => failed(&report(), failure),
    }
}

/// The machine with this name, or the only one that has a disk here.
fn named(name: Option<&str>) -> Result<VmFolder> {
    if let Some(name) = name {
        let folder = VmFolder::named(name)?;
        if folder.has_disk() {
            return Ok(folder);
        }
        let known: Vec<String> =
            VmFolder::all()?.iter().map(|folder| folder.name().to_owned()).collect();
        return Err(Failure::unchanged(format!("no virtual machine `{name}` has a disk here"))
            .hint(Some(match known.as_slice() {
                [] => format!("deploy vm {name} makes one"),
                known => format!("there are: {}", known.join(", ")),
            })));
    }
    let mut all = VmFolder::all()?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::unchanged("no virtual machine has a disk here")
            .hint(Some("deploy vm makes one".into()))),
        (Some(last), false) => {
            let names = all.iter().chain([&last]).map(|folder| folder.name().to_owned());
            let names: Vec<String> = names.collect();
            Err(Failure::unchanged("several virtual machines have a disk here")
                .because(names.join(", "))
                .hint(Some("name one of them".into())))
        }
    }
}

fn report() -> Report {
    Report::new(Format::People, Detail::Normal)
}

/// Tells a failure; the exit code of a command that changed nothing.
fn failed(report: &Report, failure: Box<Failure>) -> u8 {
    report.tell(Event::Failed(failure));
    exit_code(&[Ending::Unchanged])
}
