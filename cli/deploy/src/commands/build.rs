//! `deploy build`: the closures and the images, here.

use super::deploy::{fleet, select};
use crate::{
    args::BuildArgs,
    outcome,
    report::{Event, Report},
    stages::build,
};

/// Builds and prints one path for each machine.
pub async fn run(args: &BuildArgs) -> u8 {
    let report = Report::new(args.machines.format(), args.machines.detail());
    let overrides = args.building.overrides(args.machines.overrides());
    let built = async {
        let selection = select(&args.machines)?;
        let (nix, fleet) = fleet(&selection, &overrides, &report).await?;
        for machine in &fleet.machines {
            let text = build::here(&nix, machine, &report).await?;
            report.tell(Event::Note { machine: machine.name.clone(), text });
        }
        Ok(())
    };
    match built.await {
        Ok(()) => 0,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            outcome::exit_code(&[outcome::Ending::Unchanged])
        }
    }
}
