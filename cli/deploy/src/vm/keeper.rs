//! The process that keeps a virtual machine: it starts qemu, starts it again with the present boot
//! files when the guest restarts, and shuts the guest down when nobody wants it any more.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::fd::AsFd,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt,
    net::unix::pipe::Receiver,
    process::Child,
    signal::unix::{SignalKind, signal},
    time::Instant,
};

use super::{
    computer::Computer,
    entry::BootEntry,
    folder::{VmFolder, VmLock},
    image::{IMAGE, VmImage},
    qemu::{self, CONTROL_SOCKET, KEEPER_SOCKET},
    qmp::{GuestStop, Qmp},
    run::{VmPhase, VmRun},
};
use crate::{
    error::{Failure, Result},
    tools::process::Invocation,
};

/// How long a guest may take to shut down before qemu is ended.
pub const SHUTS_DOWN: Duration = Duration::from_secs(90);
/// What qemu and the keeper print.
pub const LOG: &str = "qemu.log";

/// How a start of qemu ended.
#[derive(Debug, PartialEq, Eq)]
enum KeeperEnd {
    /// The guest restarts.
    Restarts,
    /// The machine is off, as it should be.
    Off,
    /// The machine is off, and should not be.
    Lost(String),
}

/// Keeps the machine until it is off. The run that its file describes is to begin.
pub async fn keep(folder: &VmFolder) -> Result<()> {
    let path = folder.path();
    let broken =
        |what: &str| Failure::unchanged(format!("{} was not started: {what}", folder.name()));
    let Some(lock) = folder.lock(VmLock::On)? else { return Err(broken("it is on already")) };
    let mut run = VmRun::read(&path).ok_or_else(|| broken("it has no run.json"))?;
    let ended = keep_on(folder, &mut run, &lock).await;
    run.phase = VmPhase::Off;
    run.qemu = None;
    run.why = match ended {
        Ok(KeeperEnd::Lost(why)) => Some(why),
        Ok(KeeperEnd::Off | KeeperEnd::Restarts) => None,
        Err(failure) => {
            Some(std::iter::once(failure.what).chain(failure.causes).collect::<Vec<_>>().join(": "))
        }
    };
    run.write(&path)
}

async fn keep_on(folder: &VmFolder, run: &mut VmRun, lock: &File) -> Result<KeeperEnd> {
    let path = folder.path();
    let image = VmImage::read(&path.join(IMAGE), folder.name())?;
    let mut unwanted = Unwanted::listen(folder.name())?;
    loop {
        let entry = BootEntry::read(&path, folder.name())?;
        let mut child = start(folder, &image, run, &entry, lock)?;
        run.qemu = child.id();
        run.system = entry.system().map(str::to_owned);
        run.starts += 1;
        run.phase = VmPhase::On;
        run.write(&path)?;
        match follow(&mut child, &path, &mut unwanted).await {
            KeeperEnd::Restarts => run.phase = VmPhase::Starting,
            ended => return Ok(ended),
        }
    }
}

fn start(
    folder: &VmFolder,
    image: &VmImage,
    run: &VmRun,
    entry: &BootEntry,
    lock: &File,
) -> Result<Child> {
    let path = folder.path();
    let failed = |error: &dyn std::fmt::Display| {
        Failure::unchanged(format!("qemu for {} cannot be started", folder.name())).because(error)
    };
    for socket in [KEEPER_SOCKET, CONTROL_SOCKET] {
        // qemu leaves them where it is killed.
        let _ = std::fs::remove_file(path.join(socket));
    }
    let arguments = qemu::arguments(folder.name(), image, run, entry, &Computer::look());
    let log = OpenOptions::new().create(true).append(true).open(path.join(LOG));
    let mut log = log.map_err(|error| failed(&error))?;
    let line = shell_words::join(&arguments);
    writeln!(log, "{} {line}", image.qemu.display()).map_err(|error| failed(&error))?;
    // As its stdin qemu holds the lock too.
    let stdin = lock.try_clone().map_err(|error| failed(&error))?;
    Invocation::new(&image.qemu)
        .args(arguments)
        .in_folder(&path)
        .spawn_apart(Stdio::from(stdin), log)
        .map_err(|error| failed(&error))
}

/// Follows one start of qemu to its end.
async fn follow(child: &mut Child, path: &Path, unwanted: &mut Unwanted) -> KeeperEnd {
    let socket = path.join(KEEPER_SOCKET);
    let mut qmp = tokio::select! {
        status = child.wait() => return lost(status.ok(), path),
        qmp = Qmp::connect(&socket) => qmp.ok(),
    };
    let mut stopped = None;
    let mut ends_by: Option<Instant> = None;
    let mut told = false;
    loop {
        let events = async {
            match &mut qmp {
                Some(qmp) if stopped.is_none() => qmp.stopped().await.ok(),
                _ => std::future::pending().await,
            }
        };
        let deadline = async {
            match ends_by {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = events => match event {
                Some(event) => stopped = Some(event),
                // The connection is lost, and qemu's end says the rest.
                None => qmp = None,
            },
            status = child.wait() => return match stopped {
                Some(GuestStop::Reset) if !told => KeeperEnd::Restarts,
                Some(_) => KeeperEnd::Off,
                None => lost(status.ok(), path),
            },
            () = unwanted.wait(), if !told => {
                told = true;
                ends_by = Some(Instant::now() + SHUTS_DOWN);
                if let Some(qmp) = &mut qmp {
                    let _ = qmp.say("system_powerdown").await;
                }
            }
            () = deadline => {
                ends_by = None;
                // The guest did not shut down in time.
                let said = match &mut qmp {
                    Some(qmp) => qmp.say("quit").await.is_ok(),
                    None => false,
                };
                if !said {
                    let _ = child.start_kill();
                }
            }
        }
    }
}

/// qemu ended without the guest's doing.
fn lost(status: Option<ExitStatus>, path: &Path) -> KeeperEnd {
    let status = status.map_or_else(|| "with no known status".to_owned(), |s| format!("with {s}"));
    let log = std::fs::read(path.join(LOG)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    // The first line of a start is its command line.
    let said = log.lines().last().filter(|line| !line.contains(" -no-user-config "));
    KeeperEnd::Lost(format!(
        "qemu ended {status}{}",
        said.map(|s| format!(": {s}")).unwrap_or_default()
    ))
}

/// What says that nobody wants the machine any more: SIGTERM, or the end of the `deploy vm` that
/// waits for it, however that ends. A `deploy vm` that is killed leaves no machine behind:
/// `a-virtual-machine-ends-with-the-deploy-vm-that-shows-it`.
struct Unwanted {
    terminate: tokio::signal::unix::Signal,
    owner: Option<Receiver>,
}

impl Unwanted {
    fn listen(name: &str) -> Result<Self> {
        let terminate = signal(SignalKind::terminate()).map_err(|error| {
            Failure::unchanged(format!("{name} was not started")).because(error)
        })?;
        let stdin = std::io::stdin().as_fd().try_clone_to_owned().ok();
        // Without an owner stdin is no pipe.
        let owner = stdin.and_then(|stdin| Receiver::from_owned_fd(stdin).ok());
        Ok(Self { terminate, owner })
    }

    async fn wait(&mut self) {
        let gone = async {
            match &mut self.owner {
                // Nothing is ever written to it.
                Some(owner) => _ = owner.read(&mut [0]).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = gone => {},
            _ = self.terminate.recv() => {},
        }
    }
}
