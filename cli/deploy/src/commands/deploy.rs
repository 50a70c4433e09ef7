//! `deploy [MACHINE…]`.

use std::io::IsTerminal;

use deploy_wire::machine::Machine;

use crate::{
    args::{DeployArgs, Machines},
    error::{Failure, Result},
    outcome::{self, Ending, exit_code},
    pipeline::{BeforeSwitch, Goal, Run, Stopped, WhenBusy},
    question,
    report::{Event, Report},
    stages::{
        flake::{self, Selection},
        fleet::{self, Fleet},
        image, interrupted,
        no_way_back::NoWayBack,
        overrides::Overrides,
    },
    tools::{nix::Nix, terminal::Interrupts},
};

/// Deploys, or goes as far as the arguments say.
pub async fn run(args: &DeployArgs) -> u8 {
    towards(args, if args.dry_activate { Goal::DryActivated } else { Goal::Flake }).await
}

/// Does what is wanted with each machine.
pub async fn towards(args: &DeployArgs, goal: Goal) -> u8 {
    let report = Report::new(args.machines.format(), args.machines.detail());
    let (machines, code) = all(args, goal, &report).await;
    report.tell(Event::Ended { machines, code });
    code
}

/// How each machine ended that was begun with, and the exit code.
async fn all(args: &DeployArgs, goal: Goal, report: &Report) -> (Vec<(String, Ending)>, u8) {
    let nothing = |failure, code| {
        report.tell(Event::Failed(failure));
        (Vec::new(), code)
    };
    for text in args.accepted.notes() {
        report.tell(Event::Warning { machine: None, text });
    }
    let selection = match select(&args.machines) {
        Ok(selection) => selection,
        Err(failure) => return nothing(failure, outcome::USAGE),
    };
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            let failure = Failure::unchanged("Ctrl-C cannot be listened for").because(error);
            return nothing(failure, exit_code(&[Ending::Unchanged]));
        }
    };
    let (nix, fleet) = match interrupts.or(choose(args, &selection, report)).await {
        Some(Ok(found)) => found,
        Some(Err(failure)) => return nothing(failure, exit_code(&[Ending::Unchanged])),
        None => return nothing(interrupted::before_all(), outcome::INTERRUPTED),
    };
    let run = Run {
        nix,
        report,
        way: args.machines.way(),
        goal,
        mode: args.mode(),
        accepted: args.machines.accepted_name(),
        agent: args.building.agent.clone(),
        when_busy: if args.wait { WhenBusy::Wait } else { WhenBusy::Refuse },
        before_switch: if args.interactive { BeforeSwitch::Ask } else { BeforeSwitch::GoOn },
        no_way_back: if args.machines.yes { NoWayBack::GoOn } else { NoWayBack::Ask },
    };
    let ended = run.deploy(fleet.machines, &mut interrupts).await;
    let endings: Vec<Ending> = ended.machines.iter().map(|(_, ending)| *ending).collect();
    let code = match ended.stopped {
        Stopped::No => exit_code(&endings),
        Stopped::ByOperator => outcome::interrupted_code(&endings),
    };
    (ended.machines, code)
}

/// The machines that are meant. Meaning all of them needs somebody to ask, and
/// that is known before anything is evaluated.
pub fn select(machines: &Machines) -> Result<Selection> {
    if let Some(file) = &machines.file {
        return Err(Failure::unchanged(format!("{} is not deployed from", file.display()))
            .because("deploy reads flakes, and no other files")
            .hint(Some("name the flake: deploy path/to/flake#machine".into())));
    }
    let selection = flake::select(&machines.words())?;
    if selection.names.is_none() && !machines.yes && !std::io::stdin().is_terminal() {
        return Err(Failure::unchanged(
            "no machine was named, and nobody is there to ask whether all are meant",
        )
        .hint(Some("name the machines, or say --yes".into())));
    }
    Ok(selection)
}

/// Nix, and machines that can be asked something.
pub async fn machines(
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<(Nix, Fleet)> {
    let (nix, fleet) = fleet(selection, overrides, report).await?;
    image::none_among(&fleet.machines)?;
    Ok((nix, fleet))
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

/// The machines of this run, once somebody has said yes to all of them where
/// none was named.
async fn choose(args: &DeployArgs, selection: &Selection, report: &Report) -> Result<(Nix, Fleet)> {
    let (nix, fleet) = machines(selection, &args.overrides(), report).await?;
    if args.building.checks {
        fleet::check(&nix, selection, report).await?;
    }
    if selection.names.is_none() && !args.machines.yes && !agreed(&fleet.machines, report).await {
        return Err(Failure::unchanged("no machine was deployed to").because("the answer was no"));
    }
    Ok((nix, fleet))
}

async fn agreed(machines: &[Machine], report: &Report) -> bool {
    let shown = |machine: &Machine| (machine.name.clone(), machine.ssh.hostname.clone());
    report.tell(Event::Machines { machines: machines.iter().map(shown).collect() });
    question::yes(if machines.len() == 1 { "deploy to it?" } else { "deploy to all of them?" })
        .await
}
