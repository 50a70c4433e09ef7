//! Starts a machine, and stays with it unless it is to run on its own.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    failed,
    launch::{LOOKS, StartedVm, launch},
    prepare::{self, HowToMake},
    reach, stop, wait,
};
use crate::{
    args::VmStartArgs,
    error::{Failure, Result, State},
    outcome,
    report::{Event, Report},
    tools::terminal::Interrupts,
    vm::{
        computer::{Acceleration, Computer},
        entry::BootEntry,
        folder::{VmFolder, VmLock},
        image::{IMAGE, VmImage},
        keeper::SHUTS_DOWN,
        key,
        ports::{self, Forward},
        run::{VmPhase, VmRun},
    },
};

/// How long a guest that is not up yet may take to shut down. It may not listen to its power button.
const YOUNG: Duration = Duration::from_secs(20);

/// Starts a machine. Exit code 0: it was up; 1: it was not started, or did not come up; 130: it was
/// interrupted before.
pub async fn run(args: &VmStartArgs) -> u8 {
    let (format, detail) = args.showing.report();
    let report = Report::new(format, detail);
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            return failed(&report, Failure::unchanged("cannot listen for Ctrl-C").because(error));
        }
    };
    let begun = interrupts.unless_interrupted(begin(args, &report)).await;
    let started = match begun {
        Some(Ok(started)) => started,
        Some(Err(failure)) => return failed(&report, failure),
        None => {
            report.tell(Event::Failed(Failure::unchanged("interrupted before it was started")));
            return outcome::INTERRUPTED;
        }
    };
    let timeout = args.timeout.map(Duration::from_secs);
    let up = interrupts
        .unless_interrupted(wait::until_up(&started, timeout, wait::CHECKS_PASS, &report))
        .await;
    match up {
        None => {
            shut_down(started, YOUNG, &report).await;
            return outcome::INTERRUPTED;
        }
        Some(Err(failure)) => {
            let failure = match args.detach {
                false => stop::at_once(started, failure).await,
                true => failure.state(State::Changed(format!(
                    "it runs on; deploy vm stop {} ends it",
                    started.folder.name()
                ))),
            };
            return failed(&report, failure);
        }
        Some(Ok(_)) => {}
    }
    let name = started.folder.name().to_owned();
    reach::lines(&name, &started.image.sites, &started.ports)
        .into_iter()
        .for_each(|line| report.note(&name, line));
    if args.detach {
        report.note(&name, format!("runs on; deploy vm stop {name} shuts it down"));
        return 0;
    }
    report.note(&name, "Ctrl-C shuts it down");
    stay(started, &mut interrupts, &report).await
}

/// Everything until qemu runs.
async fn begin(args: &VmStartArgs, report: &Report) -> Result<StartedVm> {
    let computer = Computer::look();
    let ports = ports::with(&args.ports)?;
    let key = args.key.as_deref().map(key::usable).transpose()?;
    // Before the build, which takes longest.
    let named = super::choose::name(args.machine.as_deref())?;
    for folder in VmFolder::all()? {
        let is_meant = named.as_deref().is_none_or(|name| name == folder.name());
        if is_meant && folder.is_on()? && overlaps(&folder, &ports, named.is_some()) {
            return Err(is_on(folder.name()));
        }
    }
    ports::refuse_taken(named.as_deref().unwrap_or("the virtual machine"), &ports)?;
    let (folder, chosen) = prepare::choose(args, &computer, report).await?;
    let name = folder.name().to_owned();
    // Held until the process that keeps the machine has its own.
    let Some(_starting) = folder.lock(VmLock::Start)? else {
        return Err(Failure::unchanged(format!("{name} is being started by another deploy vm")));
    };
    if folder.is_on()? {
        return Err(is_on(&name));
    }
    let is_kept = chosen.is_none();
    if is_kept && args.disk_size.is_some() {
        return Err(Failure::unchanged(format!("the disk of {name} keeps its size"))
            .hint(Some("--fresh makes one of another size; what is on it is lost".into())));
    }
    match chosen {
        Some(chosen) => {
            let how = HowToMake { disk: args.disk_size, container: args.build_in.clone() };
            prepare::prepare(chosen, &folder, &how, report).await?;
        }
        None => tell_last_run(&folder, report),
    }
    let image = VmImage::read(&folder.path().join(IMAGE), &name).map_err(|failure| {
        failure.hint(Some("--fresh makes it anew; what is on its disk is lost".into()))
    })?;
    let entry = BootEntry::read(&folder.path(), &name)?;
    if is_kept {
        let system = entry.system().unwrap_or("a system of its own");
        let text = format!("boots {system}, as committed; deploy {name} brings the flake's");
        report.note(&name, text);
    }
    let mut run = VmRun::new(
        ports.clone(),
        args.memory.unwrap_or(image.memory),
        args.cores.unwrap_or(image.cores),
    );
    run.graphic = args.graphic;
    run.key = key;
    if image.needs_key && run.key.is_none() {
        return Err(Failure::unchanged(format!("{name} was not started"))
            .because("it decrypts its secrets with a key, and none is named")
            .hint(Some("--key ~/.ssh/id_ed25519, a key that secrets.nix names".into())));
    }
    if let Acceleration::Emulated(why) = computer.acceleration(&image.system) {
        let text = format!("qemu emulates the processor, ten times slower or more: {why}");
        report.tell(Event::Warning { machine: Some(name.clone()), text });
    }
    let owner = launch(&folder, &run, args.detach).await?;
    Ok(StartedVm { folder, image, ports, owner })
}

/// Whether a machine that is on is in the way.
fn overlaps(folder: &VmFolder, ports: &[Forward], named: bool) -> bool {
    let its = VmRun::read(&folder.path()).map(|run| run.ports).unwrap_or_default();
    named || its.iter().any(|one| ports.iter().any(|other| one.here == other.here))
}

fn is_on(name: &str) -> Box<Failure> {
    Failure::unchanged(format!("{name} is on already"))
        .hint(Some(format!("deploy vm status {name}; deploy vm ssh {name}; deploy vm stop {name}")))
}

/// Says how the machine ended last, if that was no shutdown.
fn tell_last_run(folder: &VmFolder, report: &Report) {
    let name = folder.name();
    let Some(run) = VmRun::read(&folder.path()) else { return };
    let text = match (run.phase, run.why) {
        (VmPhase::Off, None) => return,
        (VmPhase::Off, Some(why)) => format!("it went off the last time: {why}"),
        (VmPhase::On | VmPhase::Starting, _) => {
            "it went off the last time with the deploy vm that kept it, as in a power cut".into()
        }
    };
    report.note(name, text);
}

/// Stays until the machine goes off, or until an interrupt.
async fn stay(started: StartedVm, interrupts: &mut Interrupts, report: &Report) -> u8 {
    let name = started.folder.name().to_owned();
    let off = async {
        loop {
            match off(&started.folder) {
                Some(why) => return why,
                None => sleep(LOOKS * 5).await,
            }
        }
    };
    tokio::select! {
        _ = interrupts.next() => {
            report.note(&name, "shutting down");
            shut_down(started, SHUTS_DOWN, report).await;
            0
        }
        why = off => match why {
            None => {
                report.note(&name, "it shut down");
                0
            }
            Some(why) => failed(report, Failure::unchanged(format!("{name} went off")).because(why)
                .hint(Some(format!("deploy vm logs {name} has its console")))),
        },
    }
}

/// Why the machine is off; `None` if it is on.
fn off(folder: &VmFolder) -> Option<Option<String>> {
    match folder.is_on() {
        Ok(false) => match VmRun::read(&folder.path()) {
            Some(run) if run.phase == VmPhase::Off => Some(run.why),
            _ => Some(Some("its keeper and qemu were killed".into())),
        },
        _ => None,
    }
}

/// Has the keeper shut the guest down, and ends qemu if that takes longer than `patience`.
async fn shut_down(mut started: StartedVm, patience: Duration, report: &Report) {
    let (folder, name) = (&started.folder, started.folder.name().to_owned());
    // The end of the pipe is what the keeper waits for.
    if started.owner.take().is_none() {
        stop::ask(folder).await;
    }
    let is_off = stop::wait_until_off(folder, patience).await || stop::switch_off(folder).await;
    match is_off {
        true => report.note(&name, "is off"),
        false => report.note(&name, "is still on; deploy vm stop tries again"),
    }
}
