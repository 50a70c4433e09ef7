//! `deploy new`: the folder of a machine that is to be installed, and its key.

pub mod admins;
pub mod ask;
pub mod release;
mod track;
pub mod write;

use crate::{
    args::NewMachineArgs,
    error::Failure,
    outcome::{Ending, INTERRUPTED, USAGE, exit_code},
    report::{Event, Report},
    scaffold::{
        fleet_call::FleetCall,
        folder,
        modules::{Hardware, MachineModules},
        vm::DeskKind,
    },
    tools::terminal::Interrupts,
};

use ask::NotAnswered;

/// Writes it. Exit codes: 1, it was not written; 2, there is no terminal to ask on; 130, it was
/// interrupted at a question.
pub async fn run(args: &NewMachineArgs) -> u8 {
    let report = Report::new(crate::report::Format::People, args.folder.rules.detail());
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            return failed(&report, Failure::unchanged("cannot listen for Ctrl-C").because(error));
        }
    };
    let asked = interrupts.unless_interrupted(asked(args, &report)).await;
    let (fleet, machine, admins) = match asked {
        Some(Ok(asked)) => asked,
        Some(Err(NotAnswered::Refused(failure))) => return failed(&report, failure),
        Some(Err(NotAnswered::Nobody(failure))) => {
            report.tell(Event::Failed(failure));
            return USAGE;
        }
        None => {
            report
                .tell(Event::Failed(Failure::unchanged("interrupted before anything was written")));
            return INTERRUPTED;
        }
    };
    let address = machine.address.clone();
    let written = write::Write {
        fleet: &fleet,
        machine: &machine,
        admins: &admins,
        vm: (!args.no_vm).then(DeskKind::here),
        host_key: None,
        rules: &args.folder.rules,
        keys: &args.folder.keys,
    };
    match written.run(&report).await {
        Ok(()) => {
            let name = &machine.name;
            let next = format!(
                "next: deploy secrets new {name}, then deploy install {name} --host {address}"
            );
            report.note(name, next);
            0
        }
        Err(failure) => failed(&report, failure),
    }
}

async fn asked(
    args: &NewMachineArgs,
    report: &Report,
) -> std::result::Result<(FleetCall, MachineModules, admins::Admins), NotAnswered> {
    let (fleet, name) = ask::place(&args.name)?;
    folder::refuse_existing(&fleet, &name)?;
    let answers = ask::MachineAnswers::ask(args, &name, report).await?;
    let admins = admins::Admins::find(&fleet, args.folder.admin_key.as_deref(), report).await?;
    let release = args.state_version.clone().unwrap_or_else(|| release::of(&fleet));
    let machine = MachineModules {
        platform: answers.platform,
        release,
        address: answers.address,
        port: None,
        user: "admin".into(),
        keys: admins.path_for_machine(&fleet),
        hardware: Hardware::Disk(answers.disk),
        services: answers.services,
        domain: answers.domain,
        name,
    };
    Ok((fleet, machine, admins))
}

/// Tells a failure; the exit code of a command that wrote nothing.
pub fn failed(report: &Report, failure: Box<Failure>) -> u8 {
    report.tell(Event::Failed(failure));
    exit_code(&[Ending::Unchanged])
}
