//! Starts the process that keeps a machine.

use std::{fs::OpenOptions, process::Stdio, time::Duration};

use tokio::{process::ChildStdin, time::sleep};

use crate::{
    error::{Failure, Result},
    tools::process::Invocation,
    vm::{
        folder::VmFolder,
        image::VmImage,
        keeper::LOG,
        ports::Forward,
        qemu::CONSOLE,
        run::{VmPhase, VmRun},
    },
};

/// How often to look how a machine is.
pub const LOOKS: Duration = Duration::from_millis(100);

/// A machine that this process started.
pub struct StartedVm {
    /// Its folder.
    pub folder: VmFolder,
    /// Its description.
    pub image: VmImage,
    /// The ports that lead to it.
    pub ports: Vec<Forward>,
    /// The pipe whose end shuts the machine down; `None` for a machine that runs on its own.
    pub owner: Option<ChildStdin>,
}

/// Starts the process that keeps the machine, and waits until qemu runs.
pub async fn launch(
    folder: &VmFolder,
    run: &VmRun,
    on_its_own: bool,
) -> Result<Option<ChildStdin>> {
    let (name, path) = (folder.name(), folder.path());
    let failed = |why: &dyn std::fmt::Display| {
        Failure::unchanged(format!("{name} was not started")).because(why)
    };
    for file in [LOG, CONSOLE] {
        // The one before stays readable. There may be none yet.
        let _ = std::fs::rename(path.join(file), path.join(format!("{file}.old")));
    }
    run.write(&path)?;
    let own = std::env::current_exe().map_err(|error| failed(&error))?;
    let log = OpenOptions::new().create(true).append(true).open(path.join(LOG));
    let stdin = if on_its_own { Stdio::null() } else { Stdio::piped() };
    let mut keeper = Invocation::new(own)
        .args(["vm", "keep", name])
        .in_folder(&path)
        .spawn_apart(stdin, log.map_err(|error| failed(&error))?)
        .map_err(|error| failed(&error))?;
    let owner = keeper.stdin.take();
    loop {
        let now = VmRun::read(&path);
        match now.map(|run| (run.phase, run.why)) {
            Some((VmPhase::On, _)) => return Ok(owner),
            Some((VmPhase::Off, why)) => {
                return Err(failed(&why.unwrap_or_else(|| "it went off at once".into())));
            }
            Some((VmPhase::Starting, _)) | None => {}
        }
        match keeper.try_wait() {
            Ok(None) => sleep(LOOKS).await,
            // It may have written its end meanwhile.
            Ok(Some(status)) if VmRun::read(&path).is_none_or(|run| run.phase != VmPhase::Off) => {
                let file = path.join(LOG);
                return Err(failed(&format!(
                    "its keeper ended with {status}; see {}",
                    file.display()
                )));
            }
            Ok(Some(_)) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
}
