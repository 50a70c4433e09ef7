//! `deploy plan`: what would be done, changing nothing.

use super::deploy::{fleet, select};
use crate::{
    args::PlanArgs,
    error::Result,
    outcome,
    report::{Changes, Event, Report, bytes},
    stages::{
        ask::{self, Passwords, Probed},
        build::{self, Missing, Wanted},
        changes::{self, Inventory},
        image,
        plan::{self, Plan},
        secrets,
    },
    tools::{nix::Nix, place::Place},
};
use deploy_wire::{
    machine::{Image, Machine},
    message::Mode,
};

/// Plans for each machine. 1: a machine would be refused; 6: one could not be
/// asked.
pub async fn run(args: &PlanArgs) -> u8 {
    let report = Report::new(args.machines.format(), args.machines.detail());
    let overrides = args.building.overrides(args.machines.overrides());
    let asked = async {
        let selection = select(&args.machines)?;
        fleet(&selection, &overrides, &report).await
    };
    let (nix, fleet) = match asked.await {
        Ok(found) => found,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            return outcome::COULD_NOT_LOOK;
        }
    };
    let mut passwords = Passwords::default();
    let mut code = 0;
    for machine in fleet.machines {
        code = code.max(one(args, &nix, machine, &mut passwords, &report).await);
    }
    code
}

async fn one(
    args: &PlanArgs,
    nix: &Nix,
    machine: Machine,
    passwords: &mut Passwords,
    report: &Report,
) -> u8 {
    let name = machine.name.clone();
    if let Some(image) = &machine.image {
        match image_lines(args, nix, &machine, image, report).await {
            Ok(lines) => report.tell(Event::Plan { machine: name.clone(), lines }),
            Err(failure) => {
                report.tell(Event::Failed(failure));
                return outcome::FINDING;
            }
        }
        if image::is_no_machine(&machine) {
            return 0;
        }
    }
    let is_started_from_here = machine.image.is_some();
    let probed = match ask::ask(machine, args.machines.way(), passwords, report).await {
        Ok(probed) => probed,
        // It is off more often than on, and its image is planned all the same.
        Err(failure) if is_started_from_here => {
            let why = [vec![failure.what], failure.causes].concat().join(": ");
            let text = format!("only its image is planned: {why}");
            report.tell(Event::Warning { machine: Some(name), text });
            return 0;
        }
        Err(failure) => {
            report.tell(Event::Failed(failure));
            return outcome::COULD_NOT_LOOK;
        }
    };
    let accepted = args.machines.accepted_name();
    let said = match plan::decide(&probed.machine, &probed.facts, Mode::Switch, &accepted) {
        Ok(Plan::UpToDate) => Ok((vec!["up to date: nothing would be done".to_owned()], None)),
        Ok(Plan::Busy(record)) => Err(plan::busy(&name, &record, probed.facts.now)),
        Ok(Plan::Deploy) if args.build => after_building(nix, &probed, report).await,
        Ok(Plan::Deploy) => before_building(nix, &probed).await.map(|lines| (lines, None)),
        Err(failure) => Err(failure),
    };
    match said {
        Ok((mut lines, changes)) => {
            lines.extend(secrets::missing(&probed.machine).into_iter().map(secrets::line));
            report.tell(Event::Plan { machine: name.clone(), lines });
            if let Some(changes) = changes {
                report.tell(Event::Changes { machine: name, changes });
            }
            0
        }
        Err(failure) => {
            report.tell(Event::Failed(failure));
            outcome::FINDING
        }
    }
}

/// What is to be done for an image: it is built, and no machine is asked.
async fn image_lines(
    args: &PlanArgs,
    nix: &Nix,
    machine: &Machine,
    image: &Image,
    report: &Report,
) -> Result<Vec<String>> {
    if args.build {
        return Ok(vec![format!("image:  {}", build::here(nix, machine, report).await?)]);
    }
    let missing = build::missing(nix, Wanted::image(machine, image)).await?;
    let mut lines = vec![format!("image:  {}", image.path())];
    lines.extend(to_make(&missing));
    Ok(lines)
}

fn to_make(missing: &Missing) -> [String; 2] {
    [format!("to build: {}", some(&missing.build)), format!("to fetch: {}", some(&missing.fetch))]
}

fn head(probed: &Probed) -> Vec<String> {
    let facts = &probed.facts;
    let runs = facts.runs.as_ref().map_or_else(|| "nothing known".into(), ToString::to_string);
    vec![
        format!("runs:   {runs}"),
        format!("boots:  {}", facts.boots),
        format!("wanted: {}", probed.machine.toplevel.out),
    ]
}

async fn before_building(nix: &Nix, probed: &Probed) -> Result<Vec<String>> {
    let mut lines = head(probed);
    lines.extend(to_make(&build::missing(nix, Wanted::system(&probed.machine)).await?));
    lines.push(
        "packages, units, bytes to send, reboot: not known before the build; plan --build tells"
            .into(),
    );
    Ok(lines)
}

async fn after_building(
    nix: &Nix,
    probed: &Probed,
    report: &Report,
) -> Result<(Vec<String>, Option<Changes>)> {
    let built = build::build(nix, probed, report).await?;
    let mut lines = head(probed);
    if built.place == build::Where::Here {
        let sizes = changes::sizes(nix, &built.toplevel).await?;
        let has =
            Inventory::of(probed.facts.runs.as_ref().unwrap_or(&built.toplevel), &probed.place)
                .await;
        let wanted = Inventory::of(&built.toplevel, &Place::Here).await;
        if let (Ok(has), Ok(wanted)) = (has, wanted) {
            let lacking = changes::lacking(&wanted, &has);
            let size = lacking.iter().filter_map(|path| sizes.get(path.as_str())).sum();
            lines.push(format!("to send: {} paths, {} at most", lacking.len(), bytes(size)));
        }
    } else {
        lines.push("to send: nothing, it was built on the machine".into());
    }
    let changes = changes::changes(probed, &built).await?;
    Ok((lines, Some(changes)))
}

fn some(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names {
        [] => "nothing".into(),
        names if names.len() <= SHOWN => names.join(", "),
        names => format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}
