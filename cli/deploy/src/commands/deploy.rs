//! `deploy [MACHINE…]`.

use std::io::{IsTerminal, Write};

use deploy_wire::machine::Machine;

use crate::{
    args::{DeployArgs, Machines},
    error::{Failure, Result},
    outcome::{self, exit_code},
    pipeline::{Run, WhenBusy},
    report::{Event, Report},
    stages::{
        flake::{self, Selection},
        fleet::{self, Fleet},
        overrides::Overrides,
    },
    tools::nix::Nix,
};

/// Deploys.
pub async fn run(args: &DeployArgs) -> u8 {
    let report = Report::new(args.machines.format(), args.machines.detail());
    for text in args.accepted.notes() {
        report.tell(Event::Warning { machine: None, text });
    }
    let selection = match select(&args.machines) {
        Ok(selection) => selection,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            return outcome::USAGE;
        }
    };
    let (nix, fleet) = match fleet(&selection, &args.overrides(), &report).await {
        Ok(found) => found,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            return exit_code(&[outcome::Ending::Unchanged]);
        }
    };
    if selection.names.is_none() && !args.machines.yes && !agreed(&fleet.machines) {
        return exit_code(&[outcome::Ending::Unchanged]);
    }
    let run = Run {
        nix,
        report,
        way: args.machines.way(),
        mode: args.mode(),
        accepted: args.machines.accepted_name(),
        agent: args.building.agent.clone(),
        when_busy: if args.wait { WhenBusy::Wait } else { WhenBusy::Refuse },
    };
    exit_code(&run.deploy(fleet.machines).await)
}

/// The machines that are meant. Meaning all of them needs somebody to ask, and
/// that is known before anything is evaluated.
pub fn select(machines: &Machines) -> Result<Selection> {
    let selection = flake::select(&machines.words())?;
    if selection.names.is_none() && !machines.yes && !std::io::stdin().is_terminal() {
        return Err(Failure::unchanged(
            "no machine was named, and nobody is there to ask whether all are meant",
        )
        .hint(Some("name the machines, or say --yes".into())));
    }
    Ok(selection)
}

/// Nix, and the fleet that it evaluates.
pub async fn fleet(
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<(Nix, Fleet)> {
    let nix = Nix::find(&overrides.nix_args).map_err(|error| {
        Failure::unchanged("the flake cannot be evaluated")
            .because(error)
            .hint(Some("install Nix: https://nixos.org/download".into()))
    })?;
    let fleet = fleet::evaluate(&nix, selection, overrides, report).await?;
    Ok((nix, fleet))
}

fn agreed(machines: &[Machine]) -> bool {
    for machine in machines {
        println!("  {} at {}", machine.name, machine.ssh.hostname);
    }
    print!("deploy to {}? [y/N] ", if machines.len() == 1 { "it" } else { "all of them" });
    let mut answer = String::new();
    std::io::stdout().flush().is_ok()
        && std::io::stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes")
}
