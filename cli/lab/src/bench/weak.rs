//! A weak machine: the processes of a host get a share of one processor.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::hosts::Host;

/// The share of one processor, in percent.
const SHARE: u32 = 20;

/// How long a share is counted, in µs. The kernel's default.
const PERIOD: u32 = 100_000;

/// A host whose processes have a fifth of one processor. Dropping it gives them all back.
pub struct Weak {
    folder: PathBuf,
}

impl Weak {
    /// Puts all processes of `host` into a group of the `cpu` controller; what they start is in it
    /// too. Where no such hierarchy is mounted, `None`.
    ///
    /// # Errors
    /// When the group cannot be made.
    pub fn new(host: &Host) -> Result<Option<Self>> {
        let Some(top) = hierarchy()? else { return Ok(None) };
        let folder = top.join(format!("deploy-lab-weak-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        let weak = Self { folder };
        fs::write(weak.folder.join("cpu.cfs_period_us"), PERIOD.to_string())?;
        fs::write(weak.folder.join("cpu.cfs_quota_us"), (PERIOD / 100 * SHARE).to_string())?;
        // A process that is started meanwhile may be missed the first time.
        for _ in 0..2 {
            for id in host.cgroup().processes()? {
                enter(&weak.folder, id);
            }
        }
        Ok(Some(weak))
    }
}

impl Drop for Weak {
    fn drop(&mut self) {
        let Some(top) = self.folder.parent() else { return };
        let procs = fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        procs.lines().filter_map(|line| line.parse().ok()).for_each(|id| enter(top, id));
        let _ = fs::remove_dir(&self.folder);
    }
}

/// A process that has ended cannot enter.
fn enter(folder: &Path, id: u32) {
    let _ = fs::write(folder.join("cgroup.procs"), id.to_string());
}

/// Where the `cpu` controller of the first version of cgroups is mounted.
fn hierarchy() -> Result<Option<PathBuf>> {
    let mounts = fs::read_to_string("/proc/mounts")?;
    let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let cpu = mounts.find(|fields| {
        fields.get(2) == Some(&"cgroup")
            && fields.get(3).is_some_and(|options| options.split(',').any(|each| each == "cpu"))
    });
    Ok(cpu.map(|fields| PathBuf::from(fields[1])))
}
