//! A host: systemd as process 1 in its own mount, process, name, ipc, network, cgroup and time
//! namespaces, on its own disks. Nothing here knows the lab around it.

mod command;
mod files;
mod identity;
pub(crate) mod init;
mod power;
mod terminal;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};

pub use self::command::{HostCommand, Output, Running};
pub(crate) use self::init::BOOT_STEP;
pub use self::terminal::Terminal;
use crate::hosts::base::BaseRoot;
use crate::hosts::cgroup::Cgroup;
use crate::hosts::disk::Disks;
use crate::hosts::network::{Admission, Cable, Link};
use crate::hosts::spec::HostSpec;

/// A host. Clones refer to the same host.
#[derive(Clone)]
pub struct Host {
    parts: Arc<Parts>,
}

struct Parts {
    spec: HostSpec,
    folder: PathBuf,
    base: BaseRoot,
    disks: Disks,
    cgroup: Cgroup,
    state: Mutex<State>,
}

struct State {
    cable: Cable,
    power: Option<Power>,
    /// The number of the next command's folder.
    commands: u32,
}

/// A host that is on.
struct Power {
    unshare: Child,
    /// The host's process 1, by its id outside of the host.
    pid: u32,
}

impl Host {
    pub(crate) fn new(
        spec: HostSpec,
        folder: &Path,
        base: &BaseRoot,
        cgroup: Cgroup,
        disks: Disks,
    ) -> Result<Self> {
        std::fs::write(folder.join("name"), spec.name)?;
        let cable = Cable::new(&spec, folder, base.path());
        let state = State { cable, power: None, commands: 0 };
        Ok(Self {
            parts: Arc::new(Parts {
                spec,
                folder: folder.to_owned(),
                base: base.clone(),
                disks,
                cgroup,
                state: Mutex::new(state),
            }),
        })
    }

    /// The host's name.
    pub fn name(&self) -> &'static str {
        self.parts.spec.name
    }

    /// Its address on the lab's network.
    pub fn address(&self) -> Ipv4Addr {
        self.parts.spec.address
    }

    /// The host's address outside of the lab's network, if any.
    pub fn also(&self) -> Option<Ipv4Addr> {
        self.parts.spec.also
    }

    /// The address of a relay in front of the host.
    pub fn far(&self) -> Ipv4Addr {
        self.parts.spec.far()
    }

    /// The host's own cgroup.
    pub fn cgroup(&self) -> &Cgroup {
        &self.parts.cgroup
    }

    /// Connects or cuts the host's cable. The setting survives reboots.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn link(&self, link: Link) -> Result<()> {
        self.state().cable.set_link(link)
    }

    /// Sets which TCP connections reach the host. The setting survives reboots.
    ///
    /// # Errors
    /// When nftables refuses.
    pub fn admit(&self, admission: Admission) -> Result<()> {
        self.state().cable.set_admission(admission)
    }

    /// Limits the host's incoming traffic to this many Mbit per second; `None` removes the limit.
    ///
    /// # Errors
    /// When `tc` fails.
    pub fn rate(&self, mbit_per_second: Option<u32>) -> Result<()> {
        self.state().cable.set_rate(mbit_per_second)
    }

    /// Adds an IPv6 address, as `ADDRESS/LENGTH`, until the host is switched off.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn add_ipv6(&self, address: &str) -> Result<()> {
        self.state().cable.add_ipv6(address)
    }

    /// Copies the disks of a host that is off to `folder`.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        if self.state().power.is_some() {
            bail!("{} is on: its disks cannot be saved", self.name());
        }
        self.parts.disks.save(folder)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.parts.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
