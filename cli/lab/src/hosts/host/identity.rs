//! The identity of a host. Its machine-id, host key and name stay the same from the first boot on;
//! its boot id is new at every boot. Guards against the wrong machine, the recognition of a boot,
//! and deadlines on the boot clock can only be tested with an own boot id and uptime: scenario
//! `two-hosts-are-two-machines`.

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::mount::mount_bind;
use rustix::system::sethostname;

use crate::hosts::network::LAB_ADDRESS;
use crate::hosts::spec::HOSTS;

/// The name of the host whose identity is on the disks. On a copy with another name it does not
/// match, and the copy gets a new identity.
const MARKER: &str = "/var/lib/deploy-lab-identity";

const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// Sets the identity. Runs inside the host's root, before systemd.
pub(super) fn take(name: &str) -> Result<()> {
    fs::write("/run/boot_id", fs::read("/proc/sys/kernel/random/uuid")?)?;
    mount_bind("/run/boot_id", "/proc/sys/kernel/random/boot_id").context("boot_id")?;
    if fs::read_to_string(MARKER).unwrap_or_default() != name {
        make(name)?;
    }
    let name = fs::read_to_string("/etc/hostname").unwrap_or_else(|_| name.to_owned());
    sethostname(name.trim().as_bytes())?;
    Ok(())
}

fn make(name: &str) -> Result<()> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    replace("/etc/machine-id", &uuid.replace('-', ""))?;
    replace("/etc/hostname", &format!("{name}\n"))?;
    replace("/etc/hosts", &all_hosts())?;
    for suffix in ["", ".pub"] {
        remove(&format!("{HOST_KEY}{suffix}"))?;
    }
    let status = Command::new("/usr/lib/lab/bin/ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", HOST_KEY])
        .stdin(Stdio::null())
        .status()
        .context("cannot start ssh-keygen")?;
    if !status.success() {
        bail!("ssh-keygen failed ({status})");
    }
    fs::write(MARKER, name)?;
    // Sync only this file system. sync(2) would also write out what a power cut on another lab's
    // host must lose.
    rustix::fs::syncfs(fs::File::open("/")?)?;
    Ok(())
}

/// The /etc/hosts of every host: all hosts that a lab may have, and the relays in front of them.
fn all_hosts() -> String {
    let mut text = format!("127.0.0.1 localhost\n{LAB_ADDRESS} lab\n");
    for host in HOSTS {
        text += &format!("{0} {1}\n{2} {1}-far\n", host.address, host.name, host.far());
    }
    text
}

/// Replaces a file. It never writes through a link, because that would change a file in the store.
fn replace(path: &str, contents: &str) -> Result<()> {
    remove(path)?;
    fs::write(path, contents).with_context(|| format!("cannot write {path}"))
}

fn remove(path: &str) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {path}"))
        }
        _ => Ok(()),
    }
}
