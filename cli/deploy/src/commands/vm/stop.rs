//! `deploy vm stop`: shuts a guest down, and ends qemu where the guest does not.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{failed, launch::StartedVm, named, report};
use crate::{
    error::{Failure, Result},
    vm::{
        folder::VmFolder,
        keeper::SHUTS_DOWN,
        qemu::CONTROL_SOCKET,
        qmp::Qmp,
        run::{VmPhase, VmRun},
    },
};

/// How long qemu may take to end.
const ENDS: Duration = Duration::from_secs(10);

/// Shuts it down. Exit code 0: it is off; 1: it is not.
pub async fn run(name: Option<&str>) -> u8 {
    let report = report();
    match stop(name).await {
        Ok((name, text)) => {
            report.note(&name, text);
            0
        }
        Err(failure) => failed(&report, failure),
    }
}

async fn stop(name: Option<&str>) -> Result<(String, &'static str)> {
    let folder = named(name)?;
    let name = folder.name().to_owned();
    if !folder.is_on()? {
        return Ok((name, "is off already"));
    }
    ask(&folder).await;
    if wait_until_off(&folder, SHUTS_DOWN).await {
        note_off(&folder)?;
        return Ok((name, "is off"));
    }
    if switch_off(&folder).await {
        note_off(&folder)?;
        return Ok((name, "did not shut down in time and was switched off"));
    }
    Err(Failure::unchanged(format!("{name} is still on")).because("qemu does not answer"))
}

/// Writes that the machine is off. Its keeper does, unless it was killed.
fn note_off(folder: &VmFolder) -> Result<()> {
    match VmRun::read(&folder.path()) {
        Some(mut run) if run.phase != VmPhase::Off => {
            run.phase = VmPhase::Off;
            run.write(&folder.path())
        }
        _ => Ok(()),
    }
}

/// Asks the guest to shut down, as its power button does.
pub async fn ask(folder: &VmFolder) {
    say(folder, "system_powerdown").await;
}

/// Switches a machine off that did not come up. The failure then says so.
pub async fn at_once(started: StartedVm, failure: Box<Failure>) -> Box<Failure> {
    let is_off = switch_off(&started.folder).await;
    failure.because(if is_off { "it was switched off" } else { "it is still on" })
}

/// Ends qemu, whatever the guest does; whether it ended.
pub async fn switch_off(folder: &VmFolder) -> bool {
    say(folder, "quit").await;
    wait_until_off(folder, ENDS).await
}

/// Gives qemu a command. Who waits for its effect sees whether it took it.
async fn say(folder: &VmFolder, command: &str) {
    let said = async {
        let mut qmp = Qmp::connect_now(&folder.path().join(CONTROL_SOCKET)).await?;
        qmp.say(command).await
    };
    let _ = tokio::time::timeout(ENDS, said).await;
}

/// Whether the machine is off before the time is over.
pub async fn wait_until_off(folder: &VmFolder, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while folder.is_on().unwrap_or(true) {
        if Instant::now() > end {
            return false;
        }
        sleep(Duration::from_millis(100)).await;
    }
    true
}
