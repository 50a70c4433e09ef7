//! `deploy build`: builds the closures and the images on this computer.

use deploy_wire::machine::BuildPlace;

use super::{evaluate::fleet, linux_build};
use crate::{
    args::BuildArgs,
    error::{Failure, Result},
    outcome::{Ending, USAGE, exit_code},
    report::{Event, Report},
    stages::{flake, fleet::overrides::Overrides},
};

/// Builds, and prints one path for each machine. Exit code 1: a build failed; 2: the command line
/// is wrong.
pub async fn run(args: &BuildArgs) -> u8 {
    let BuildArgs { machines, showing, build_on, build_in } = args;
    let (format, detail) = showing.report();
    let report = Report::new(format, detail);
    let failed = |failure, code| {
        report.tell(Event::Failed(failure));
        code
    };
    let unchanged = exit_code(&[Ending::Unchanged]);
    let (place, selection) = match place(build_on.as_deref()).and_then(|place| {
        let selection = flake::select(&machines.words())?;
        Ok((place, selection))
    }) {
        Ok(meant) => meant,
        Err(failure) => return failed(failure, USAGE),
    };
    // This command logs in to no machine.
    let overrides = Overrides { build: place, allow_ssh_opts: true, ..showing.overrides() };
    let (nix, fleet) = match fleet(&selection, &overrides, &report).await {
        Ok(found) => found,
        Err(failure) => return failed(failure, unchanged),
    };
    let mut code = fleet.code_or(unchanged);
    for machine in &fleet.machines {
        match linux_build::build(&nix, machine, build_in.as_deref(), &report).await {
            Ok(paths) => {
                for text in paths {
                    report.tell(Event::Note { machine: machine.name.clone(), text });
                }
            }
            Err(failure) => code = failed(failure, unchanged),
        }
    }
    code
}

/// The builder to use. This command does not log in to the machine, so it cannot build there.
pub fn place(build_on: Option<&str>) -> Result<Option<BuildPlace>> {
    match build_on.map(|place| BuildPlace::from(place.to_owned())) {
        Some(BuildPlace::Target) => {
            Err(Failure::unchanged("deploy build does not build on the machine")
                .because("it asks no machine: --build-on is local or a builder's name here")
                .hint(Some("deploy push --build-on target builds there".into())))
        }
        place => Ok(place),
    }
}
