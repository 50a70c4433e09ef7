//! `deploy plan`: shows what a deploy would do and changes nothing.

use super::evaluate::fleet;
use crate::{
    args::PlanArgs,
    error::{Failure, Result},
    outcome,
    report::{Changes, Event, Report, bytes, secret_lines},
    stages::{
        ask::{self, Passwords, Probed, Way},
        build::{self, BuildTarget, image},
        flake::{self, Selection},
        plan::{
            self, AcceptedName, Plan,
            changes::{self, Inventory, secrets::Encrypted},
            secrets,
        },
    },
    tools::{
        nix::{BuildWork, Nix},
        place::Place,
    },
};
use deploy_wire::{
    attempt::Mode,
    machine::{Image, Machine},
};

/// Plans each machine. Exit code 1: a machine would be refused; 2: the command line is wrong; 6: a
/// machine could not be asked.
pub async fn run(args: &PlanArgs) -> u8 {
    let PlanArgs { machines, showing, reach, identity, build, place } = args;
    let (format, detail) = showing.report();
    let report = Report::new(format, detail);
    let failed = |failure, code| {
        report.tell(Event::Failed(failure));
        code
    };
    let selection = match select(args, &machines.words()) {
        Ok(selection) => selection,
        Err(failure) => return failed(failure, outcome::USAGE),
    };
    let overrides = place.overrides(reach.overrides(showing.overrides()));
    let (nix, fleet) = match fleet(&selection, &overrides, &report).await {
        Ok(found) => found,
        Err(failure) => return failed(failure, outcome::COULD_NOT_LOOK),
    };
    let planned =
        Planned { nix: &nix, build: *build, way: reach.way(), accepted: identity.accepted() };
    let mut passwords = Passwords::default();
    let mut code = fleet.code_or(outcome::COULD_NOT_LOOK);
    for machine in fleet.machines {
        code = code.max(one(&planned, machine, &mut passwords, &report).await);
    }
    code
}

/// The selected machines. A builder without `--build` is refused, because the plan builds nothing.
fn select(args: &PlanArgs, words: &[String]) -> Result<Selection> {
    if args.place.place().is_some() && !args.build {
        return Err(Failure::unchanged("deploy plan builds nothing without --build")
            .because("--build-on and --remote-build say where `deploy plan --build` builds"));
    }
    flake::select(words)
}

/// The inputs of a plan.
struct Planned<'n> {
    nix: &'n Nix,
    build: bool,
    way: Way,
    accepted: AcceptedName,
}

async fn one(
    with: &Planned<'_>,
    machine: Machine,
    passwords: &mut Passwords,
    report: &Report,
) -> u8 {
    let nix = with.nix;
    let name = machine.name.clone();
    if let Some(image) = &machine.image {
        match image_lines(with, &machine, image, report).await {
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
    let probed = match ask::ask(machine, with.way, passwords, report).await {
        Ok(probed) => probed,
        // A machine that starts from an image is often off. The plan of its image does not need it.
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
    let said = match plan::decide(&probed.machine, &probed.facts, Mode::Switch, &with.accepted) {
        Ok(Plan::UpToDate) => Ok((vec!["up to date: nothing would be done".to_owned()], None)),
        Ok(Plan::Busy(record)) => Err(plan::busy(&name, &record, probed.facts.now)),
        Ok(Plan::Deploy) if with.build => after_building(nix, &probed, report).await,
        Ok(Plan::Deploy) => before_building(nix, &probed).await.map(|lines| (lines, None)),
        Err(failure) => Err(failure),
    };
    match said {
        Ok((mut lines, changes)) => {
            let missing = secrets::missing(&probed.machine);
            // A deploy of this machine is refused for each missing secret.
            let code = if missing.is_empty() { 0 } else { outcome::FINDING };
            lines.extend(missing.into_iter().map(secrets::line));
            report.tell(Event::Plan { machine: name.clone(), lines });
            if let Some(changes) = changes {
                report.tell(Event::Changes { machine: name, changes });
            }
            code
        }
        Err(failure) => {
            report.tell(Event::Failed(failure));
            outcome::FINDING
        }
    }
}

/// The plan of an image: it is built, and no machine is asked.
async fn image_lines(
    with: &Planned<'_>,
    machine: &Machine,
    image: &Image,
    report: &Report,
) -> Result<Vec<String>> {
    if with.build {
        let paths = build::build_here(with.nix, machine, report).await?;
        return Ok(paths.into_iter().map(|path| format!("image:  {path}")).collect());
    }
    let missing = build::missing(with.nix, &[BuildTarget::image(machine, image)]).await?;
    let mut lines = vec![format!("image:  {}", image.path())];
    lines.extend(to_make(&missing));
    Ok(lines)
}

fn to_make(missing: &BuildWork) -> [String; 2] {
    [format!("to build: {}", some(&missing.build)), format!("to fetch: {}", some(&missing.fetch))]
}

fn head(probed: &Probed) -> Vec<String> {
    let facts = &probed.facts;
    let runs = facts.runs.as_ref().map_or_else(|| "nothing known".into(), ToString::to_string);
    let wanted = match &probed.machine.toplevel {
        Some(toplevel) => toplevel.out.to_string(),
        None => "the system stays".into(),
    };
    let mut lines = vec![
        format!("runs:   {runs}"),
        format!("boots:  {}", facts.boots),
        format!("wanted: {wanted}"),
    ];
    lines.extend(plan::profile_lines(&probed.machine, facts));
    lines
}

async fn before_building(nix: &Nix, probed: &Probed) -> Result<Vec<String>> {
    let targets = BuildTarget::all(&probed.machine);
    let (missing, secrets) =
        tokio::join!(build::missing(nix, &targets), Encrypted::compare_with_running(probed));
    let mut lines = head(probed);
    lines.extend(to_make(&missing?));
    lines.extend(secrets.iter().flat_map(secret_lines));
    if probed.machine.toplevel.is_some() {
        lines.push(
            "packages, units, bytes to send, reboot: not known before the build; plan --build tells"
                .into(),
        );
    }
    Ok(lines)
}

async fn after_building(
    nix: &Nix,
    probed: &Probed,
    report: &Report,
) -> Result<(Vec<String>, Option<Changes>)> {
    let runs = probed.facts.runs.as_ref().expect("the plan refused a machine without a system");
    let built = build::build(nix, probed, runs, report).await?;
    let built = build::on_host::fetch(nix, probed, built, report).await?;
    let mut lines = head(probed);
    if probed.machine.toplevel.is_none() {
        return Ok((lines, None));
    }
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
