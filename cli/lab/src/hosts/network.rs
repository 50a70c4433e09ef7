//! The network between a lab's hosts: one bridge, and one cable for each host. A cable can be cut,
//! slowed down, and closed to new connections while existing ones continue.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::mount::{UnmountFlags, unmount};

use crate::hosts::process::{run, run_words};
use crate::hosts::spec::HostSpec;

/// The lab's own address on the bridge. Relays listen on addresses next to it.
pub const LAB_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// A second network, for hosts that need an address that a configuration names
/// ([`HostSpec::also_at`]). Every host has a route to it.
pub const HOME: &str = "192.168.0.0/16";

/// The prefix length of every address, in bits.
const PREFIX: u8 = 16;

/// Creates the bridge. Called once, in the lab's own network namespace.
pub(crate) fn start() -> Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    // Without an address of its own the bridge takes that of a cable, and another one when a host is
    // switched off: hosts then do not reach a relay until they look for it anew.
    ip(&["link", "add", "br0", "address", "02:4c:41:42:00:01", "type", "bridge"])?;
    ip(&["addr", "add", &format!("{LAB_ADDRESS}/{PREFIX}"), "dev", "br0"])?;
    ip(&["link", "set", "br0", "up"])
}

/// Adds an address to the lab, on which a relay can listen.
pub(crate) fn add_address(address: Ipv4Addr) -> Result<()> {
    ip(&["addr", "add", &format!("{address}/32"), "dev", "br0"])
}

/// The state of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The cable is connected.
    Joined,
    /// The cable is cut: packets are dropped without an error.
    Cut,
}

/// Which TCP connections reach a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// All.
    All,
    /// Only existing connections. The first packet of a new one is dropped without an error.
    OldOnly,
}

/// A host's cable. Its settings survive reboots.
#[derive(Debug)]
pub(crate) struct Cable {
    name: String,
    address: Ipv4Addr,
    also: Option<Ipv4Addr>,
    namespace: PathBuf,
    link: Link,
    rate: Option<String>,
    base: PathBuf,
}

impl Cable {
    pub fn new(spec: &HostSpec, folder: &Path, base: &Path) -> Self {
        Self {
            name: format!("v-{}", spec.name),
            address: spec.address,
            also: spec.also,
            namespace: folder.join("netns"),
            link: Link::Joined,
            rate: None,
            base: base.to_owned(),
        }
    }

    /// Creates a network namespace for one boot and connects it. An old namespace would keep
    /// connections from before the power cut, and close them properly.
    pub fn plug(&self) -> Result<()> {
        std::fs::write(&self.namespace, "")?;
        run(Command::new("unshare").arg(self.in_namespace()).arg("true"))?;
        let [.., c, d] = self.address.octets();
        let mac = format!("02:77:00:00:{c:02x}:{d:02x}");
        ip(&[
            "link",
            "add",
            &self.name,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "address",
            &mac,
            "netns",
            self.namespace.to_str().context("a path is not UTF-8")?,
        ])?;
        ip(&["link", "set", &self.name, "master", "br0"])?;
        let also =
            self.also.map_or_else(String::new, |also| format!("addr add {also}/32 dev eth0\n"));
        let inside = format!(
            "link set lo up\naddr add {}/{PREFIX} dev eth0\n{also}link set eth0 up\n\
             route add default via {LAB_ADDRESS}\nroute add {HOME} dev eth0\n",
            self.address
        );
        let script = self.namespace.with_extension("ip");
        std::fs::write(&script, inside)?;
        self.ip_inside(&["-batch", script.to_str().context("a path is not UTF-8")?])?;
        self.apply_link()?;
        self.apply_rate()
    }

    /// Adds an IPv6 address with its prefix length, until the host is switched off.
    pub fn add_ipv6(&self, address: &str) -> Result<()> {
        self.ip_inside(&["-6", "address", "add", address, "dev", "eth0", "nodad"])
    }

    fn ip_inside(&self, words: &[&str]) -> Result<()> {
        run(Command::new("nsenter").arg(self.in_namespace()).arg("ip").args(words)).map(drop)
    }

    /// Removes the cable and the namespace. The other side gets no packet about it.
    pub fn unplug(&self) -> Result<()> {
        ip(&["link", "del", &self.name])?;
        unmount(&self.namespace, UnmountFlags::DETACH).context("cannot release a network namespace")
    }

    /// Drops all packets from now on, as when the power goes. The dying processes must not reach
    /// anybody.
    pub fn silence(&self) -> Result<()> {
        ip(&["link", "set", &self.name, "down"])
    }

    pub fn set_link(&mut self, link: Link) -> Result<()> {
        self.link = link;
        self.apply_link()
    }

    pub fn set_rate(&mut self, mbit_per_second: Option<u32>) -> Result<()> {
        self.rate = mbit_per_second.map(|rate| format!("{rate}mbit"));
        self.apply_rate()
    }

    fn apply_link(&self) -> Result<()> {
        let state = if self.link == Link::Joined { "up" } else { "down" };
        ip(&["link", "set", &self.name, state])
    }

    fn apply_rate(&self) -> Result<()> {
        // Remove the old setting first. This fails if there is none.
        let _ = run_words(&["tc", "qdisc", "del", "dev", &self.name, "root"]);
        let Some(rate) = &self.rate else { return Ok(()) };
        run_words(&[
            "tc", "qdisc", "add", "dev", &self.name, "root", "tbf", "rate", rate, "burst", "64kb",
            "latency", "200ms",
        ])
        .map(drop)
    }

    /// Sets the rule with nftables on the bridge, outside of the host. The host can neither see nor
    /// undo it, and it survives the host's reboot. The program is taken from the base root, so this
    /// machine does not need it.
    pub fn set_admission(&self, admission: Admission) -> Result<()> {
        let table = self.name.replace('-', "_");
        let rules = match admission {
            Admission::All => format!("table bridge {table} {{}}\ndelete table bridge {table}\n"),
            Admission::OldOnly => {
                let drop =
                    format!("oifname \"{}\" tcp flags & (syn | ack) == syn drop;", self.name);
                format!(
                    "table bridge {table} {{\n\
                     chain forward {{ type filter hook forward priority 0; {drop} }}\n\
                     chain output {{ type filter hook output priority 0; {drop} }}\n}}\n"
                )
            }
        };
        run(Command::new("chroot").arg(&self.base).args(["/usr/lib/lab/sbin/nft", &rules]))
            .map(drop)
    }

    fn in_namespace(&self) -> String {
        format!("--net={}", self.namespace.display())
    }
}

fn ip(words: &[&str]) -> Result<()> {
    run(Command::new("ip").args(words)).map(drop)
}
