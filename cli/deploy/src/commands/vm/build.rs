//! Builds what starts the machine, and says what is missing where nothing here builds for it.

use std::path::Path;

use super::choose::ChosenVm;
use crate::{
    error::{Failure, Result},
    report::Report,
    stages::build,
    tools::{
        nix::Nix,
        process::{self, Invocation},
    },
    vm::{
        builders::{self, FoundBuilders},
        computer::Computer,
    },
};

/// Builds the image, in a container if one is named.
pub async fn build(
    chosen: &ChosenVm,
    container: Option<&str>,
    computer: &Computer,
    report: &Report,
) -> Result<()> {
    let ChosenVm { nix, machine, image } = chosen;
    if let Some(program) = container {
        report.note(&machine.name, format!("building in a container of {program}"));
        let script = builders::in_container(program, image.drv.as_str(), image.out.as_str());
        let built = Invocation::new("/bin/sh").args(["-c", &script]).output().await;
        built.map_err(|error| {
            Failure::unchanged(format!("{} cannot be built in {program}", machine.name))
                .because(&error)
                .because(error.stderr().lines().last().unwrap_or_default())
                .hint(Some("to take what it built, you must be one of Nix's trusted-users".into()))
        })?;
    }
    match build::build_here(nix, machine, report).await {
        Ok(_) => Ok(()),
        Err(failure) => {
            let found = find(nix, computer).await;
            let system = machine.system.as_str();
            let hint = found.filter(|found| !found.can_build(system));
            Err(failure.hint(hint.map(|found| found.ways_out(system))))
        }
    }
}

/// Looks what could build here. Without Nix's settings nothing is said about it.
async fn find(nix: &Nix, computer: &Computer) -> Option<FoundBuilders> {
    let settings = nix.settings().await.ok()?;
    let (lines, unreadable) = builders::lines(&settings.builders);
    let mut containers = Vec::new();
    for program in builders::CONTAINERS {
        if process::find(program, &[]).is_none() {
            continue;
        }
        let answers = Invocation::new(program).arg("info").output().await;
        let answers = answers.map(drop).map_err(|error| {
            let last = error.stderr().lines().last().map(str::to_owned);
            last.unwrap_or_else(|| error.to_string())
        });
        containers.push((program.to_owned(), answers));
    }
    Some(FoundBuilders {
        os: computer.os,
        systems: settings.systems.clone(),
        jobs: settings.jobs,
        builders: lines,
        unreadable,
        nix_darwin: Path::new(builders::NIX_DARWIN).exists(),
        determinate: Path::new(builders::DETERMINATE).exists(),
        containers,
    })
}
