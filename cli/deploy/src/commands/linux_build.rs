//! Builds a system or an image for Linux, and says what is missing where nothing here builds for it.

use std::path::Path;

use deploy_wire::{
    machine::{BuildPlace, Machine},
    store_path::StorePath,
};

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

/// Builds a machine's image, or else its system and profiles, in a container if one is named; gives
/// the paths.
pub async fn build(
    nix: &Nix,
    machine: &Machine,
    container: Option<&str>,
    report: &Report,
) -> Result<Vec<String>> {
    if let Some(program) = container {
        report.note(&machine.name, format!("building in a container of {program}"));
        for (drv, out) in wanted(machine) {
            let script = builders::in_container(program, drv.as_str(), out.as_str());
            let built = Invocation::new("/bin/sh").args(["-c", &script]).output().await;
            built.map_err(|error| {
                Failure::unchanged(format!("{} cannot be built in {program}", machine.name))
                    .because(&error)
                    .because(error.stderr().lines().last().unwrap_or_default())
                    .hint(Some(
                        "to take what it built, you must be one of Nix's trusted-users".into(),
                    ))
            })?;
        }
    }
    match build::build_here(nix, machine, report).await {
        Ok(paths) => Ok(paths),
        Err(failure) => {
            if matches!(machine.build.place, BuildPlace::Host(_)) {
                return Err(failure);
            }
            let system = machine.system.as_str();
            let found = find(nix, system, &Computer::look()).await;
            Err(failure.hint(found.map(|found| found.ways_out(system))))
        }
    }
}

/// The derivations, each with its output.
fn wanted(machine: &Machine) -> Vec<(&StorePath, &StorePath)> {
    if let Some(image) = &machine.image {
        return vec![(&image.drv, &image.out)];
    }
    let system = machine.toplevel.iter().map(|toplevel| (&toplevel.drv, &toplevel.out));
    let others = machine.other_profiles().into_iter();
    let others = others.filter_map(|profile| Some((profile.drv.as_ref()?, &profile.path)));
    system.chain(others).collect()
}

/// What is here besides Nix, where Nix cannot build for `system`. Without Nix's settings nothing is said
/// about it.
async fn find(nix: &Nix, system: &str, computer: &Computer) -> Option<FoundBuilders> {
    let settings = nix.settings().await.ok()?;
    let (lines, unreadable) = builders::lines(&settings.builders);
    let mut found = FoundBuilders {
        os: computer.os,
        systems: settings.systems.clone(),
        jobs: settings.jobs,
        builders: lines,
        unreadable,
        nix_darwin: Path::new(builders::NIX_DARWIN).exists(),
        determinate: Path::new(builders::DETERMINATE).exists(),
        containers: Vec::new(),
    };
    if found.can_build(system) {
        return None;
    }
    for program in builders::CONTAINERS {
        if process::find(program, &[]).is_none() {
            continue;
        }
        let answers = Invocation::new(program).arg("info").output().await;
        let answers = answers.map(drop).map_err(|error| {
            let last = error.stderr().lines().last().map(str::to_owned);
            last.unwrap_or_else(|| error.to_string())
        });
        found.containers.push((program.to_owned(), answers));
    }
    Some(found)
}
