//! A running system that becomes an installer: nixos-anywhere's phase `kexec`. The disks stay as they
//! are until the next phase.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{build::BuiltInstallation, carry_out, look::Looked};
use crate::{
    args::InstallArgs,
    error::{Failure, Result, State},
    install::anywhere::InstallPhase,
    report::Report,
    secrets::generated,
    tools::private,
};

/// A key for the installer, which accepts no password of the system before it.
struct LoginKey {
    folder: TempDir,
}

impl LoginKey {
    fn new() -> Result<Self> {
        let failed = |why: &dyn std::fmt::Display| {
            Failure::unchanged("there is no key for the login to the installer").because(why)
        };
        let made = generated::ssh_key().map_err(|why| failed(&why))?;
        let folder = private::for_this_run().map_err(|error| failed(&error))?;
        let key = Self { folder };
        let write = || -> io::Result<()> {
            let mut open =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(key.file())?;
            open.write_all(&made.text)
        };
        write().map_err(|error| failed(&error))?;
        Ok(key)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("key")
    }
}

/// Starts the installer in place of the running system, logs in to it, and looks again.
pub async fn become_installer(
    args: &InstallArgs,
    looked: &mut Looked,
    built: &BuiltInstallation,
    program: &Path,
    report: &Report,
) -> Result<()> {
    let name = looked.name();
    let host = looked.host.clone();
    let key = LoginKey::new()?;
    let paths = (&built.disko, &built.system);
    let mut work = carry_out::installation(looked, paths, program, PathBuf::new(), Vec::new());
    (work.identity, work.port) = (Some(key.file()), args.port);
    report.note(&name, InstallPhase::Kexec.does());
    let mut last = String::new();
    let invocation = work.invocation(InstallPhase::Kexec);
    let ran = invocation.watched(|line| {
        if args.showing.verbose {
            report.note(&name, line);
        }
        if !line.trim().is_empty() {
            line.clone_into(&mut last);
        }
    });
    let state = || unwritten(&host);
    ran.await.map_err(|error| {
        Failure::unchanged(format!("{host} did not become an installer"))
            .because(error)
            .because(last)
            .state(state())
    })?;
    // The installer listens at ssh's own port, and keeps the host keys of the system before it.
    let opts = vec!["-i".to_owned(), key.file().display().to_string()];
    looked.look_again(None, opts, report).await.map_err(|failure| failure.state(state()))
}

/// The state of a computer that may run its system or the installer.
fn unwritten(host: &str) -> State {
    State::NotKnown(format!(
        "the disks of {host} are as they were; a restart brings back the system that ran"
    ))
}

/// The failure of an interrupt meanwhile.
pub fn interrupted(host: &str) -> Box<Failure> {
    Failure::unchanged("interrupted while it became an installer").state(unwritten(host))
}
