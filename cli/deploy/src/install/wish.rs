//! What a configuration wants of the computer that it is installed on.

use deploy_wire::machine::Package;
use serde::Deserialize;

use crate::error::{Failure, Result};

/// The memory that an installation needs, in MiB: nixos-anywhere's own requirement.
const LEAST_MEMORY: u64 = 1024;

/// What a configuration wants, as `installation.nix` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstallWish {
    /// The disks of `disko.devices`.
    pub disks: Vec<WantedDisk>,
    /// The script that partitions, formats and mounts them; `None` without disks.
    pub disko: Option<Package>,
    /// Whether its boot loader starts from UEFI firmware.
    pub uefi: bool,
    /// Whether its boot loader starts from a BIOS.
    pub bios: bool,
    /// Whether it has an SSH server.
    pub sshd: bool,
    /// Whether it connects to a wireless network.
    pub wireless: bool,
    /// Where its SSH server reads its key of the kind Ed25519.
    pub host_key: String,
    /// With which private keys agenix decrypts its secrets; empty without secrets of agenix's.
    pub identities: Vec<String>,
    /// Whether sops-nix decrypts secrets with the host key.
    pub sops: bool,
    /// The memory that it needs, in MiB; `None` if the flake does not say.
    pub memory: Option<u64>,
}

/// A disk of `disko.devices.disk`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WantedDisk {
    /// Its name in the configuration.
    pub name: String,
    /// Its device: `/dev/disk/by-id/…`, `/dev/sda`.
    pub device: String,
}

impl InstallWish {
    /// Reads what the evaluation gave. Refuses a configuration that cannot be installed on any
    /// computer.
    pub fn read(machine: &str, value: serde_json::Value) -> Result<Self> {
        let wish: Self = serde_json::from_value(value).map_err(|error| {
            Failure::unchanged(format!("what {machine} wants of a computer cannot be read"))
                .because(error)
        })?;
        let refused = || Failure::unchanged(format!("{machine} cannot be installed"));
        if wish.disks.is_empty() || wish.disko.is_none() {
            return Err(refused()
                .because("its configuration names no disk: `disko.devices.disk` is empty")
                .hint(Some(
                    "machines/frame1/disko.nix shows a layout; it needs disko's NixOS module"
                        .into(),
                )));
        }
        if !wish.sshd {
            return Err(refused()
                .because("its configuration has no SSH server, so nothing could log in to it")
                .hint(Some("services.openssh.enable = true".into())));
        }
        Ok(wish)
    }

    /// The memory that a computer must have, in MiB.
    pub fn least_memory(&self) -> u64 {
        self.memory.unwrap_or_default().max(LEAST_MEMORY)
    }

    /// The devices of the disks, one a line.
    pub fn devices(&self) -> String {
        let devices: Vec<&str> = self.disks.iter().map(|disk| disk.device.as_str()).collect();
        devices.join("\n")
    }
}

#[cfg(test)]
pub mod tests;
