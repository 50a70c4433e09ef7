//! The outer side of a lab: one process tree in its own mount, network and process namespaces. When
//! this process or the tree's first process dies in any way, the kernel ends everything inside and
//! removes its mounts and links: scenario `a-killed-supervisor-leaves-nothing`. Only the cgroup
//! folder stays; the next lab removes it.

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

/// The prefix of the labs' cgroup folders.
const PREFIX: &str = "deploy-lab-";

/// The outside handle of a running lab. Dropping it ends the lab.
pub struct Supervisor {
    child: Child,
    cgroup: Cgroup,
    /// A lock that shows other labs that this one is alive. The kernel releases it when this
    /// process dies.
    _alive: File,
}

impl Supervisor {
    /// Starts this program again inside of a new lab, where [`super::reexec::dispatch`] returns
    /// `words`. `prepare` sets the standard streams and the like.
    ///
    /// The calling thread must live as long as the lab, because the kernel ends the lab with it.
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
        // SAFETY: only prctl(2) is called between fork and exec.
        unsafe {
            command.pre_exec(|| {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                Ok(())
            });
        }
        let child = command.spawn().context("cannot start unshare (util-linux)")?;
        Ok(Self { child, cgroup, _alive: alive })
    }

    /// The id of the tree's first process, for tests that kill it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lab's cgroup folder, for tests that look for leftovers.
    pub fn cgroup(&self) -> &Path {
        self.cgroup.path()
    }

    /// The processor time of the lab so far, over all hosts.
    ///
    /// # Errors
    /// When the kernel cannot tell.
    pub fn processor_time(&self) -> Result<Duration> {
        self.cgroup.processor_time()
    }

    /// Waits until the inside ends.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Like [`Supervisor::wait`], for at most `deadline`; `None` if the inside still runs then.
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
    // A process id alone is not unique, because labs in other process namespaces share the tree.
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

/// Removes labs whose supervisor is dead. No other lab sweeps until the returned value is dropped;
/// otherwise a new folder that is not yet locked would be removed.
///
/// # Errors
/// When a dead lab's cgroup cannot be removed.
pub fn sweep() -> Result<File> {
    let sweeping = File::open(Cgroup::top()?.path())?;
    flock(&sweeping, FlockOperation::LockExclusive)?;
    for path in labs()? {
        // Its own supervisor has just removed it.
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
