//! Cgroup folders: one for each lab, below it one for each host, below that one for each command
//! that the lab runs on the host.
//!
//! A host enters its cgroup before `unshare --cgroup`. Otherwise all hosts would share one tree,
//! and freezing a service on one host would freeze it on all of them: scenario
//! `freezing-a-service-on-one-host-leaves-the-other-running`.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::hosts::wait;

/// How long the kernel may take to end the processes of a killed cgroup.
const KILL_DEADLINE: Duration = Duration::from_secs(20);

/// A folder in the cgroup2 hierarchy.
#[derive(Clone, Debug)]
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// The top of the cgroup2 hierarchy, at any mount point: /sys/fs/cgroup, or a folder below it
    /// on a hybrid machine.
    ///
    /// # Errors
    /// When no cgroup2 is mounted.
    pub fn top() -> Result<Self> {
        let mounts = fs::read_to_string("/proc/mounts")?;
        let path = mounts
            .lines()
            .map(|line| line.split(' ').collect::<Vec<_>>())
            .find(|fields| fields.get(2) == Some(&"cgroup2"))
            .map(|fields| PathBuf::from(fields[1]))
            .context("no cgroup2 is mounted on this machine: mount one on /sys/fs/cgroup")?;
        Ok(Self { path })
    }

    /// An existing cgroup folder.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the folder `name` in this one. An existing folder is used as it is.
    ///
    /// # Errors
    /// When it cannot be made: not root, or the hierarchy is mounted read-only.
    pub fn child(&self, name: &str) -> Result<Self> {
        let path = self.path.join(name);
        fs::create_dir_all(&path)
            .with_context(|| format!("cannot make the cgroup {}", path.display()))?;
        Ok(Self { path })
    }

    /// Makes `command` and all its children start in this cgroup.
    ///
    /// # Errors
    /// When the cgroup is gone.
    pub fn admit(&self, command: &mut Command) -> Result<()> {
        let procs: OwnedFd = File::options()
            .write(true)
            .open(self.path.join("cgroup.procs"))
            .with_context(|| format!("cannot enter the cgroup {}", self.path.display()))?
            .into();
        // SAFETY: between fork and exec only write(2) is called, on a descriptor that the
        // closure owns; "0" means the calling process.
        unsafe {
            command.pre_exec(move || {
                rustix::io::write(&procs, b"0")?;
                Ok(())
            });
        }
        Ok(())
    }

    /// Kills every process in the cgroup at once (`cgroup.kill`) and waits until none is left.
    ///
    /// # Errors
    /// When the kernel has no `cgroup.kill` (before 5.14), or processes are left after 20 s.
    pub fn kill(&self) -> Result<()> {
        self.kill_at_once()?;
        wait::until("the killed processes are gone", KILL_DEADLINE, || Ok(!self.is_populated()?))
    }

    /// Like [`Cgroup::kill`], without waiting.
    ///
    /// # Errors
    /// As [`Cgroup::kill`].
    pub fn kill_at_once(&self) -> Result<()> {
        fs::write(self.path.join("cgroup.kill"), "1")
            .with_context(|| format!("cannot kill the cgroup {}", self.path.display()))
    }

    /// Stops every process in the cgroup until [`Cgroup::thaw`].
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn freeze(&self) -> Result<()> {
        fs::write(self.path.join("cgroup.freeze"), "1")?;
        wait::until("the cgroup is frozen", KILL_DEADLINE, || {
            Ok(fs::read_to_string(self.path.join("cgroup.events"))?.contains("frozen 1"))
        })
    }

    /// Ends [`Cgroup::freeze`].
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn thaw(&self) -> Result<()> {
        fs::write(self.path.join("cgroup.freeze"), "0")?;
        Ok(())
    }

    /// The processes in the cgroup and below.
    ///
    /// # Errors
    /// When the cgroup is gone.
    pub fn processes(&self) -> Result<Vec<u32>> {
        let own = fs::read_to_string(self.path.join("cgroup.procs"))?;
        let mut all: Vec<u32> = own.lines().filter_map(|line| line.parse().ok()).collect();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.is_dir() {
                all.extend(Self { path }.processes()?);
            }
        }
        Ok(all)
    }

    /// Whether a process is in the cgroup or below.
    ///
    /// # Errors
    /// When the cgroup is gone.
    pub fn is_populated(&self) -> Result<bool> {
        Ok(fs::read_to_string(self.path.join("cgroup.events"))?.contains("populated 1"))
    }

    /// The processor time of all processes that ever ran in the cgroup or below.
    ///
    /// # Errors
    /// When the cgroup is gone.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(self.path.join("cpu.stat"))?;
        let used = stat.lines().find_map(|line| line.strip_prefix("usage_usec "));
        Ok(Duration::from_micros(used.context("cpu.stat has no usage_usec")?.parse()?))
    }

    /// Removes the cgroup and all folders below, which must have no process.
    ///
    /// # Errors
    /// When a process is left.
    pub fn remove(&self) -> Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                Self { path: entry.path() }.remove()?;
            }
        }
        if let Err(error) = fs::remove_dir(&self.path) {
            bail!("cannot remove the cgroup {}: {error}", self.path.display());
        }
        Ok(())
    }
}
