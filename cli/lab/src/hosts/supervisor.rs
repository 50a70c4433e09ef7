//! The outer side of a lab: one process tree in mount, network and process namespaces of
//! its own. When this process or the tree's first process dies, however it dies, the
//! kernel ends everything inside and takes its mounts and links away: scenario
//! `a-killed-supervisor-leaves-nothing`. Only the cgroup folder stays; the next lab sweeps it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::hosts::cgroup::Cgroup;
use crate::hosts::{inotify, process, words};

/// How the cgroup folders of labs begin.
const PREFIX: &str = "deploy-lab-";

/// A running lab, seen from outside. Dropping it ends the lab.
pub struct Supervisor {
    child: Child,
    cgroup: Cgroup,
    /// Says to other labs' sweeps that this one is alive; the kernel lets go of it when
    /// this process dies.
    _alive: File,
}

impl Supervisor {
    /// Starts this program again inside a new lab, where [`super::reexec::dispatch`] hands out
    /// `words`. `prepare` sets standard output, error and the like.
    ///
    /// The calling thread must live as long as the lab: the kernel ends the lab with it.
    ///
    /// # Errors
    /// When not root, or the namespaces or the cgroup cannot be made, or the kernel does not
    /// allow more inotify instances.
    pub fn start(words: &[&OsStr], prepare: impl FnOnce(&mut Command)) -> Result<Self> {
        inotify::allow_many()?;
        let (cgroup, alive) = new_cgroup()?;
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
            .args(["--propagation", "private"])
            .arg(std::env::current_exe()?)
            .arg(words::INSIDE)
            .arg(cgroup.path())
            .args(words);
        prepare(&mut command);
        cgroup.child("lab")?.admit(&mut command)?;
        // SAFETY: prctl(2) alone is called between fork and exec.
        unsafe {
            command.pre_exec(|| {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                Ok(())
            });
        }
        let child = command.spawn().context("cannot start unshare (util-linux)")?;
        Ok(Self { child, cgroup, _alive: alive })
    }

    /// The process id of the tree's top, for tests that kill it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lab's cgroup folder, for tests that look for leftovers.
    pub fn cgroup(&self) -> &Path {
        self.cgroup.path()
    }

    /// The processor time that the lab took so far, all hosts together.
    ///
    /// # Errors
    /// When the kernel cannot tell.
    pub fn processor_time(&self) -> Result<Duration> {
        self.cgroup.processor_time()
    }

    /// Waits for the inside to end.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// [`Supervisor::wait`], at most `deadline`; `None` when the inside still runs then.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn wait_within(&mut self, deadline: Duration) -> Result<Option<ExitStatus>> {
        process::wait_for(&mut self.child, deadline)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let ended = self
            .cgroup
            .kill()
            .and_then(|()| Ok(self.child.wait()?))
            .and_then(|_| self.cgroup.remove());
        if let Err(error) = ended {
            eprintln!("lab: something may be left behind: {error:#}");
        }
    }
}

fn new_cgroup() -> Result<(Cgroup, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    // A process id alone is not unique: labs in other process namespaces share the tree.
    let name = format!("{PREFIX}{}-{number}-{:08x}", std::process::id(), random()?);
    let _sweeping = sweep()?;
    let cgroup = Cgroup::top()?.child(&name)?;
    let alive = File::open(cgroup.path())?;
    flock(&alive, FlockOperation::LockShared)?;
    Ok((cgroup, alive))
}

fn random() -> Result<u32> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    Ok(u32::from_str_radix(&uuid[..8], 16)?)
}

/// Ends and removes labs whose supervisor is dead. Until the returned value is dropped no
/// other lab sweeps: a folder that is made and not yet marked as alive would be taken away.
///
/// # Errors
/// When a dead lab's cgroup cannot be removed.
pub fn sweep() -> Result<File> {
    let sweeping = File::open(Cgroup::top()?.path())?;
    flock(&sweeping, FlockOperation::LockExclusive)?;
    for path in labs()? {
        // Gone in between: its own supervisor removed it.
        let Ok(folder) = File::open(&path) else { continue };
        if flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        let cgroup = Cgroup::at(&path);
        let swept = cgroup.kill().and_then(|()| cgroup.remove());
        if path.exists() {
            swept?;
        }
    }
    Ok(sweeping)
}

/// The cgroup folders of all labs of this machine, dead or alive.
///
/// # Errors
/// When no cgroup2 is mounted.
pub fn labs() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Cgroup::top()?.path())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
