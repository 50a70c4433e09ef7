//! `deploy --rehearse`: a machine's system is first tried as its virtual machine.

use std::time::Duration;

use deploy_wire::machine::Machine;

use super::{choose, launch, prepare, stop, wait};
use crate::{
    error::{Failure, Result},
    report::Report,
    stages::fleet::overrides::Overrides,
    tools::terminal::Interrupts,
    vm::{
        computer::Computer,
        folder::{VmFolder, VmLock},
        image::{IMAGE, VmImage},
        keeper::SHUTS_DOWN,
        ports::{self, Forward},
        run::VmRun,
    },
};

/// What a rehearsal cannot show.
const NOT_SHOWN: &str = "a virtual machine does not show its hardware, disks and boot loader, what \
                         the network gives it, certificates of an authority, the tailnet, and its data";

/// Starts the virtual machine of each machine with a new disk, looks at its declared checks, and
/// removes it. Nothing is deployed if one of them fails. `None`: it was interrupted, and nothing of it
/// is left.
pub async fn rehearse(
    flake: &str,
    machines: &[Machine],
    overrides: &Overrides,
    interrupts: &mut Interrupts,
    report: &Report,
) -> Option<Result<()>> {
    for machine in machines {
        match one(flake, machine, overrides, interrupts, report).await {
            Some(Ok(())) => {}
            ended => return ended,
        }
    }
    Some(Ok(()))
}

async fn one(
    flake: &str,
    machine: &Machine,
    overrides: &Overrides,
    interrupts: &mut Interrupts,
    report: &Report,
) -> Option<Result<()>> {
    let (computer, name) = (Computer::look(), &machine.name);
    let begun = async {
        let chosen = choose::of_machine(flake, name, overrides, &computer, report).await?;
        let vm = chosen.machine.name.clone();
        report.note(name, format!("rehearsing as {vm}"));
        let folder = VmFolder::named(&format!("{vm}.rehearsal"))?;
        match folder.lock(VmLock::Start)? {
            Some(starting) => Ok((chosen, folder, starting)),
            None => Err(Failure::unchanged(format!("{name} is being rehearsed by another deploy"))),
        }
    };
    let (chosen, folder, _starting) = match interrupts.unless_interrupted(begun).await? {
        Ok(begun) => begun,
        Err(failure) => return Some(Err(failure)),
    };
    let for_checks = Duration::from_secs(machine.timeouts.check);
    let work = try_out(chosen, &folder, for_checks, report);
    let ended = interrupts.unless_interrupted(work).await;
    if ended.is_none() && !switched_off(&folder).await {
        report.note(name, format!("{0} is still on: deploy vm stop {0}", folder.name()));
        return None;
    }
    // `a-rehearsal-that-is-interrupted-leaves-nothing` proves it.
    let removed = folder.remove().map_err(|error| {
        Failure::unchanged(format!("the disk of {} cannot be removed", folder.name()))
            .because(error)
    });
    let ended = ended?.map_err(|failure| {
        let causes = std::iter::once(failure.what).chain(failure.causes);
        let not = Failure::unchanged(format!("{name} was not deployed to: its rehearsal failed"));
        causes.fold(not, Failure::because).hint(failure.hint)
    });
    Some(ended.and_then(|passing| {
        removed?;
        report.note(name, format!("rehearsed: all {passing} declared checks pass; {NOT_SHOWN}"));
        Ok(())
    }))
}

/// Ends qemu, which may have been started a moment ago: then it does not listen yet, and the process
/// that keeps it ends it.
async fn switched_off(folder: &VmFolder) -> bool {
    stop::switch_off(folder).await || stop::wait_until_off(folder, SHUTS_DOWN).await
}

/// How many checks pass.
async fn try_out(
    chosen: choose::ChosenVm,
    folder: &VmFolder,
    for_checks: Duration,
    report: &Report,
) -> Result<usize> {
    let no_port = |error| Failure::unchanged("no port is free on this computer").because(error);
    // Nobody is to reach it, so every port is another one.
    let forwards = [ports::SSH].map(|guest| ports::free().map(|here| Forward { here, guest }));
    let forwards = forwards.into_iter().collect::<std::io::Result<Vec<_>>>().map_err(no_port)?;
    let how = prepare::HowToMake { disk: None, container: None };
    prepare::prepare(chosen, folder, &how, report).await?;
    let image = VmImage::read(&folder.path().join(IMAGE), folder.name())?;
    let run = VmRun::new(forwards.clone(), image.memory, image.cores);
    let owner = launch::launch(folder, &run, false).await?;
    let started = launch::StartedVm { folder: folder.clone(), image, ports: forwards, owner };
    let up = wait::until_up(&started, None, for_checks, report).await;
    stop::switch_off(folder).await;
    match up? {
        wait::Checked::Passing(number) => Ok(number),
        wait::Checked::NotLookedAt(why) => {
            Err(Failure::unchanged("its checks were not looked at").because(why).hint(Some(
                "deploy.agent.enable and a key of yours for root make that possible".into(),
            )))
        }
    }
}
