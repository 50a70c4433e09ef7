//! A host: systemd as process 1 in mount, process, name, ipc, network, cgroup and time
//! namespaces of its own, on disks of its own.

mod command;
mod files;
pub(crate) mod identity;
pub(crate) mod init;
mod power;
mod terminal;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};

pub use self::command::{HostCommand, Output, Running};
pub use self::terminal::Terminal;
use crate::base::{BaseRoot, Places};
use crate::cgroup::Cgroup;
use crate::disk::{DiskSize, Disks};
use crate::network::{Admission, Cable, Link};

/// A host's name, address and disks.
#[derive(Clone, Copy, Debug)]
pub struct HostSpec {
    /// At most 13 characters: it also names the host's network cable.
    pub name: &'static str,
    /// Known to all hosts of a lab by `name`, from /etc/hosts.
    pub address: Ipv4Addr,
    /// One more address, outside the lab's own network; every host finds it.
    pub also: Option<Ipv4Addr>,
    /// The size of the disks.
    pub size: DiskSize,
    /// Where its programs are.
    pub places: Places,
}

/// The hosts that every /etc/hosts knows. Relays stand in front of a host at
/// [`HostSpec::far`], under the name `NAME-far`.
pub const HOSTS: [HostSpec; 6] = [
    HostSpec::new("mac", 10),
    HostSpec::new("frame1", 11),
    HostSpec::new("frame2", 12),
    HostSpec::new("frame3", 13),
    HostSpec::new("builder1", 20),
    HostSpec::new("mac2", 21),
];

impl HostSpec {
    const fn new(name: &'static str, number: u8) -> Self {
        let size = DiskSize { disk_mib: 2048, boot_mib: 32 };
        let address = Ipv4Addr::new(10, 77, 0, number);
        Self { name, address, also: None, size, places: Places::Debian }
    }

    /// The host of [`HOSTS`] called `name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self> {
        match HOSTS.iter().find(|spec| spec.name == name) {
            Some(spec) => Ok(*spec),
            None => bail!("the lab has no host called {name}: add it to HOSTS"),
        }
    }

    /// The address at which a relay to this host listens.
    pub fn far(&self) -> Ipv4Addr {
        let [a, b, _, d] = self.address.octets();
        Ipv4Addr::new(a, b, 1, d)
    }

    /// It has this address as well, one in [`crate::network::HOME`].
    pub fn also_at(self, address: Ipv4Addr) -> Self {
        Self { also: Some(address), ..self }
    }

    /// Another size of the disks.
    pub fn sized(self, size: DiskSize) -> Self {
        Self { size, ..self }
    }

    /// Other places for the programs.
    pub fn with_programs_in(self, places: Places) -> Self {
        Self { places, ..self }
    }
}

/// A host. Copies of the value are the same host.
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
    /// Numbers the commands' folders.
    commands: u32,
}

/// A host that is on.
struct Power {
    unshare: Child,
    /// The host's process 1, as the lab sees it.
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

    /// Its address outside the lab's network, if it has one.
    pub fn also(&self) -> Option<Ipv4Addr> {
        self.parts.spec.also
    }

    /// Where a relay to it listens.
    pub fn far(&self) -> Ipv4Addr {
        self.parts.spec.far()
    }

    /// The host's own cgroup.
    pub fn cgroup(&self) -> &Cgroup {
        &self.parts.cgroup
    }

    /// Connects or cuts the host's cable; holds over reboots.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn link(&self, link: Link) -> Result<()> {
        self.state().cable.set_link(link)
    }

    /// Decides which TCP connections reach the host; holds over reboots.
    ///
    /// # Errors
    /// When nftables refuses.
    pub fn admit(&self, admission: Admission) -> Result<()> {
        self.state().cable.set_admission(admission)
    }

    /// Limits what the host receives, in Mbit per second; `None` ends it.
    ///
    /// # Errors
    /// When `tc` fails.
    pub fn rate(&self, mbit_per_second: Option<u32>) -> Result<()> {
        self.state().cable.set_rate(mbit_per_second)
    }

    /// Gives it one more IPv6 address, as `ADDRESS/LENGTH`, until it is switched off.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn add_ipv6(&self, address: &str) -> Result<()> {
        self.state().cable.add_ipv6(address)
    }

    /// The disks of a host that is off are copied to `folder`.
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
