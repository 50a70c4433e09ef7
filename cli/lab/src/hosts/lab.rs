//! A lab: hosts on their own network. It exists only inside of a [`crate::hosts::supervisor`].

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::mount::{MountFlags, mount};

use crate::hosts::base::BaseRoot;
use crate::hosts::cgroup::Cgroup;
use crate::hosts::disk::Disks;
use crate::hosts::host::Host;
use crate::hosts::reexec::Inside;
use crate::hosts::spec::HostSpec;
use crate::hosts::{cache, network};

const MOST_HOSTS: usize = 16;

/// The lab around this process.
pub struct Lab {
    folder: PathBuf,
    cgroup: Cgroup,
    hosts: Vec<Host>,
}

impl Lab {
    /// Sets up the lab: its folder, in memory, and its network.
    ///
    /// # Errors
    /// When this process is not process 1 of its own namespaces, or a mount fails.
    pub fn enter(inside: &Inside) -> Result<Self> {
        if std::process::id() != 1 {
            bail!("not inside a lab");
        }
        mount("proc", "/proc", "proc", MountFlags::empty(), None).context("/proc")?;
        let folder = cache::folder()?.join("lab");
        fs::create_dir_all(&folder)?;
        // The mount is in this namespace only, so it disappears with the lab and is never visible
        // outside.
        mount("tmpfs", &folder, "tmpfs", MountFlags::empty(), c"size=75%,mode=755")
            .context("the lab's tmpfs")?;
        network::start()?;
        // Every path contains the lab's name, so that leftovers of different labs can be
        // distinguished.
        let name = inside.cgroup.file_name().context("a cgroup without a name")?;
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        Ok(Self { folder, cgroup: Cgroup::at(&inside.cgroup), hosts: Vec::new() })
    }

    /// Creates a host with empty disks; it is off.
    ///
    /// # Errors
    /// When there is one of that name, or sixteen in all.
    pub fn new_host(&mut self, spec: HostSpec) -> Result<Host> {
        self.add(spec, |folder| Disks::create(folder, spec.size))
    }

    /// Creates a host with copies of saved disks; it is off.
    ///
    /// # Errors
    /// As [`Lab::new_host`].
    pub fn restore_host(&mut self, spec: HostSpec, saved: &Path) -> Result<Host> {
        self.add(spec, |folder| Disks::restore(folder, saved, spec.size))
    }

    fn add(&mut self, spec: HostSpec, disks: impl FnOnce(&Path) -> Result<Disks>) -> Result<Host> {
        if self.hosts.len() == MOST_HOSTS {
            bail!("a lab has at most {MOST_HOSTS} hosts");
        }
        if self.hosts.iter().any(|host| host.name() == spec.name) {
            bail!("there is a host called {} already", spec.name);
        }
        let folder = self.folder.join(spec.name);
        fs::create_dir(&folder)?;
        let disks = disks(&folder)?;
        let cgroup = self.cgroup.child(spec.name)?;
        let base = BaseRoot::ensure_with(spec.places)?;
        let host = Host::new(spec, &folder, &base, cgroup, disks)?;
        self.hosts.push(host.clone());
        Ok(host)
    }

    /// All hosts, on or off.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The lab's folder, in memory. It disappears with the lab.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last `lines` lines of each host's console and journal, for the report of a failure.
    pub fn last_words(&self, lines: usize) -> String {
        let mut report = String::new();
        for host in &self.hosts {
            let console = host.console().unwrap_or_default();
            report += &format!("--- {}: console\n{}\n", host.name(), tail(&console, lines));
            if host.is_on() {
                let journal = host.journal(&[]).unwrap_or_else(|error| format!("{error:#}"));
                report += &format!("--- {}: journal\n{}\n", host.name(), tail(&journal, lines));
            }
        }
        report
    }
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
