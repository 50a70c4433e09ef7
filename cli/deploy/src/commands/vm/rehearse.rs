//! `deploy --rehearse`: a machine's system is first tried as its virtual machine.

use std::time::Duration;

use deploy_wire::machine::Machine;

use super::{choose, launch, prepare, stop, wait};
use crate::{
    error::{Failure, Result},
    report::Report,
    stages::fleet::overrides::Overrides,
    vm::{
        computer::Computer,
        folder::{VmFolder, VmLock},
        image::{IMAGE, VmImage},
        ports::{self, Forward},
        run::VmRun,
    },
};

/// What a rehearsal cannot show.
const NOT_SHOWN: &str = "a virtual machine does not show its hardware, disks and boot loader, what \
                         the network gives it, certificates of an authority, the tailnet, and its data";

/// Starts the virtual machine of each machine with a new disk, looks at its declared checks, and
/// removes it. Nothing is deployed if one of them fails.
pub async fn rehearse(
    flake: &str,
    machines: &[Machine],
    overrides: &Overrides,
    report: &Report,
) -> Result<()> {
    let computer = Computer::look();
    for machine in machines {
        let name = &machine.name;
        let for_checks = Duration::from_secs(machine.timeouts.check);
        let chosen = choose::of_machine(flake, name, overrides, &computer, report).await?;
        let vm = chosen.machine.name.clone();
        report.note(name, format!("rehearsing as {vm}"));
        let folder = VmFolder::named(&format!("{vm}.rehearsal"))?;
        let Some(_starting) = folder.lock(VmLock::Start)? else {
            return Err(Failure::unchanged(format!("{name} is being rehearsed by another deploy")));
        };
        let ended = try_out(chosen, &folder, &computer, for_checks, report).await;
        let removed = folder.remove().map_err(|error| {
            Failure::unchanged(format!("the disk of {vm} cannot be removed")).because(error)
        });
        let passing = ended.map_err(|failure| {
            let causes = std::iter::once(failure.what).chain(failure.causes);
            let not =
                Failure::unchanged(format!("{name} was not deployed to: its rehearsal failed"));
            causes.fold(not, Failure::because).hint(failure.hint)
        })?;
        removed?;
        report.note(name, format!("rehearsed: all {passing} declared checks pass; {NOT_SHOWN}"));
    }
    Ok(())
}

/// How many checks pass.
async fn try_out(
    chosen: choose::ChosenVm,
    folder: &VmFolder,
    computer: &Computer,
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
