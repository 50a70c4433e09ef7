//! nixos-anywhere's phases over the login, and what is looked at before the restart.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use super::{build::BuiltInstallation, key::WrittenKey, look::Looked};
use crate::{
    error::{Failure, Result, State},
    install::{
        anywhere::{InstallPhase, Installation},
        facts::{self, ComputerFacts},
        target::{self, InstalledFacts},
    },
    report::{Report, bytes},
    tools::terminal::Interrupts,
};

/// How many lines of nixos-anywhere a failure shows.
const SHOWN: usize = 15;

/// The port of an SSH server that does not say its own.
const SSH: u16 = 22;

/// The command lines for a computer.
pub fn installation(
    looked: &Looked,
    (disko, system): (&deploy_wire::store_path::StorePath, &deploy_wire::store_path::StorePath),
    program: &Path,
    files: PathBuf,
    ssh: Vec<String>,
) -> Installation {
    Installation {
        program: program.to_owned(),
        disko: disko.clone(),
        system: system.clone(),
        files,
        target: match looked.probed.place.login() {
            Some(login) => login.target().user_at_host(),
            None => format!("root@{}", looked.host),
        },
        ssh,
        identity: None,
        port: None,
        substitute: looked.machine.push.substitute,
    }
}

/// Makes the disks, copies the system, looks at both, and restarts the computer. A failure says in
/// what state the computer is.
pub async fn install(
    looked: &Looked,
    built: &BuiltInstallation,
    key: &WrittenKey,
    (program, is_verbose): (PathBuf, bool),
    interrupts: &mut Interrupts,
    report: &Report,
) -> Result<()> {
    let Looked { probed, facts, host, .. } = looked;
    let name = &built.machine.name;
    let login = probed.place.login();
    let options = login.map(|login| login.options_for_others(facts.port.unwrap_or(SSH)));
    let options = options.transpose().map_err(|error| {
        key.say_changed(
            Failure::unchanged("the login cannot be lent to nixos-anywhere").because(error),
        )
    })?;
    let paths = (&built.disko, &built.system);
    let root = key.files.root();
    let work = installation(looked, paths, &program, root, options.unwrap_or_default());
    let mut run = PhaseRun { looked, work, key, is_verbose, interrupts, report };
    run.phase(InstallPhase::Disko).await?;
    report.note(name, format!("copying {} to {host}", bytes(built.bytes)));
    run.phase(InstallPhase::Install).await?;
    run.look(built).await?;
    run.phase(InstallPhase::Reboot).await
}

struct PhaseRun<'a> {
    looked: &'a Looked,
    work: Installation,
    key: &'a WrittenKey,
    is_verbose: bool,
    interrupts: &'a mut Interrupts,
    report: &'a Report,
}

impl PhaseRun<'_> {
    async fn phase(&mut self, phase: InstallPhase) -> Result<()> {
        let name = self.looked.name();
        self.report.note(&name, phase.does());
        let mut last = VecDeque::new();
        let invocation = self.work.invocation(phase);
        let (report, is_verbose) = (self.report, self.is_verbose);
        let ran = invocation.watched(|line| {
            if is_verbose {
                report.note(&name, line);
            }
            if !line.trim().is_empty() {
                last.push_back(line.to_owned());
            }
            if last.len() > SHOWN {
                last.pop_front();
            }
        });
        let failure = match self.interrupts.unless_interrupted(ran).await {
            Some(Ok(_)) => return Ok(()),
            Some(Err(error)) => {
                let what = format!("nixos-anywhere failed in its phase `{}`", phase.word());
                let said = last.into_iter().collect::<Vec<_>>().join("\n");
                Failure::unchanged(what).because(error).because(said)
            }
            None => {
                // What was begun there may go on, whatever is seen of it now.
                let failure = Failure::unchanged(format!("interrupted while {}", phase.does()));
                return Err(self.with_state(phase, failure));
            }
        };
        if phase == InstallPhase::Disko && self.disks_are_as_they_were().await {
            return Err(self.key.say_changed(failure).hint(Some(
                "the disks were asked again, and are as they were; run it again".into(),
            )));
        }
        Err(self.with_state(phase, failure))
    }

    /// Says what the computer is now.
    fn with_state(&self, phase: InstallPhase, failure: Box<Failure>) -> Box<Failure> {
        let Looked { host, machine, .. } = self.looked;
        let name = &machine.name;
        let again = format!("deploy install {name} --host {host} --wipe {name}");
        let (state, hint) = match phase {
            InstallPhase::Kexec | InstallPhase::Disko => (
                format!("the disks of {host} may be partly written; it has no system of its own"),
                format!("the installer may still run: {again}"),
            ),
            InstallPhase::Install => (
                format!(
                    "the disks of {host} are made, and mounted at /mnt there; no whole system is on them"
                ),
                format!("the installer still runs: {again}"),
            ),
            InstallPhase::Reboot => (
                format!("{name} is installed on {host}; whether that restarts is not known"),
                format!("restart it by hand, then: deploy status {name}"),
            ),
        };
        failure.state(State::NotKnown(state)).hint(Some(hint))
    }

    /// Whether the computer says that nothing on the disks changed.
    async fn disks_are_as_they_were(&self) -> bool {
        let Looked { wish, facts, fit, .. } = self.looked;
        let script = facts::script(&wish.devices());
        let Ok(said) = self.looked.place().run(&script, "").await else { return false };
        let Ok(now) = ComputerFacts::read(&said) else { return false };
        fit.disks.iter().all(|disk| now.device(&disk.wanted) == facts.device(&disk.wanted))
    }

    /// Refuses to restart a computer on whose disks is not what was built.
    async fn look(&mut self, built: &BuiltInstallation) -> Result<()> {
        let Looked { host, wish, .. } = self.looked;
        let name = &built.machine.name;
        let refused = || {
            let state =
                format!("{host} still runs the installer; its disks are mounted at /mnt there");
            Failure::unchanged(format!("{name} is not installed as it was built"))
                .state(State::NotKnown(state))
                .hint(Some(format!("deploy install {name} --host {host} --wipe {name}")))
        };
        let said = self.looked.place().run(&target::script(&wish.host_key), "").await;
        let said = said.map_err(|error| refused().because(error))?;
        InstalledFacts::read(&said)
            .refuse_unless(&built.system, &self.key.public)
            .map_err(|why| refused().because(why))?;
        self.report.note(name, format!("{} and its host key are on its disks", built.system));
        Ok(())
    }
}
