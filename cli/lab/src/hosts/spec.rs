//! The specifications of hosts: names, addresses and sizes.

use std::net::Ipv4Addr;

use anyhow::{Result, bail};

use crate::hosts::base::Places;
use crate::hosts::disk::DiskSize;

/// A host's name, address and disks.
#[derive(Clone, Copy, Debug)]
pub struct HostSpec {
    /// The name, of at most 13 characters, because it also names the host's network cable.
    pub name: &'static str,
    /// The address. All hosts of a lab resolve `name` to it by /etc/hosts.
    pub address: Ipv4Addr,
    /// A second address outside of the lab's network. Every host has a route to it.
    pub also: Option<Ipv4Addr>,
    /// The size of the disks.
    pub size: DiskSize,
    /// The places of its programs.
    pub places: Places,
}

/// The hosts in every /etc/hosts. A relay in front of a host listens on [`HostSpec::far`] under the
/// name `NAME-far`.
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

    /// The address of a relay to this host.
    pub fn far(&self) -> Ipv4Addr {
        let [a, b, _, d] = self.address.octets();
        Ipv4Addr::new(a, b, 1, d)
    }

    /// Adds a second address from [`super::HOME`].
    pub fn also_at(self, address: Ipv4Addr) -> Self {
        Self { also: Some(address), ..self }
    }

    /// Changes the size of the disks.
    pub fn sized(self, size: DiskSize) -> Self {
        Self { size, ..self }
    }

    /// Changes the places of the programs.
    pub fn with_programs_in(self, places: Places) -> Self {
        Self { places, ..self }
    }
}
