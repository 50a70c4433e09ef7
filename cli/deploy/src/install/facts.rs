//! What a computer says of itself before it is installed.

use deploy_wire::machine::System;

use super::blocks::BlockDevice;
use crate::tools::{answer::Answer, shell};

/// File systems in memory, and what an installer's root is made of besides.
const IN_MEMORY: [&str; 5] = ["tmpfs", "ramfs", "rootfs", "overlay", "squashfs"];

/// The script that prints the facts. `devices` are the disks that the configuration names, one a
/// line.
pub fn script(devices: &str) -> String {
    format!("DISKS={}\n{}", shell::quote(devices), include_str!("facts.sh"))
}

/// The output of `facts.sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputerFacts {
    /// Its platform; `None` if it is none that NixOS is deployed to.
    pub system: Option<System>,
    /// The output of `uname -m`.
    pub uname: String,
    /// The name that it calls itself.
    pub host: String,
    /// The file system of its root.
    pub root: String,
    /// `VARIANT_ID` of its /etc/os-release: `installer` on NixOS's installation images.
    pub variant: String,
    /// The name of its operating system.
    pub os: String,
    /// Its memory in MiB; `None` if it does not say.
    pub memory: Option<u64>,
    /// Whether it was started by UEFI firmware.
    pub uefi: bool,
    /// Its block devices.
    pub blocks: Vec<BlockDevice>,
    /// The wanted devices that exist: the device, and the path that it leads to.
    pub wanted: Vec<(String, String)>,
    /// The names of its disks in /dev/disk/by-id, each with the path that it leads to.
    pub ids: Vec<(String, String)>,
    /// The wireless interface that the login uses.
    pub wireless: Option<String>,
    /// Its interfaces with a plugged cable.
    pub wired: Vec<String>,
    /// The programs that an installation needs and that it lacks.
    pub lacks: Vec<String>,
    /// The port of its SSH server, as that sees it.
    pub port: Option<u16>,
}

impl ComputerFacts {
    /// Reads the output. The error says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let answer = Answer::read(text);
        answer.word("facts").ok_or("its answer was cut short")?;
        let word = |key: &str| answer.word(key).unwrap_or_default().to_owned();
        let blocks = answer.file("blocks").unwrap_or_default();
        let blocks = match blocks.trim() {
            "" => Vec::new(),
            text => BlockDevice::all(text).map_err(|why| format!("lsblk there: {why}"))?,
        };
        let os = answer.file("osRelease").unwrap_or_default();
        let pairs = |name: &str| {
            let lines = answer.file(name).unwrap_or_default().lines();
            let pairs = lines.filter_map(|line| line.split_once('\t'));
            pairs.map(|(path, name)| (name.to_owned(), path.to_owned())).collect()
        };
        Ok(Self {
            system: System::of_uname(&word("machine")),
            uname: word("machine"),
            host: word("host"),
            root: word("root"),
            variant: os_release(os, "VARIANT_ID"),
            os: os_release(os, "PRETTY_NAME"),
            memory: answer.word("memory").and_then(|kib| kib.parse::<u64>().ok()).map(|k| k / 1024),
            uefi: answer.has("efi"),
            blocks,
            wanted: pairs("wanted"),
            ids: pairs("ids"),
            wireless: answer.word("wireless").map(str::to_owned),
            wired: answer.all("wired").to_vec(),
            lacks: answer.all("lacks").to_vec(),
            port: answer.word("connection").and_then(|it| it.split(' ').nth(3)?.parse().ok()),
        })
    }

    /// Whether it is NixOS's installer, which runs from memory.
    pub fn is_installer(&self) -> bool {
        self.variant == "installer" && IN_MEMORY.contains(&self.root.as_str())
    }

    /// The device that a wanted name leads to.
    pub fn device(&self, wanted: &str) -> Option<&BlockDevice> {
        let (_, path) = self.wanted.iter().find(|(name, _)| name == wanted)?;
        self.blocks.iter().find_map(|block| block.find(path))
    }

    /// The disks that it has, each in a line with the names that a configuration could have for it.
    pub fn disks(&self) -> Vec<String> {
        let disks = self.blocks.iter().filter(|block| block.kind == "disk");
        let line = |disk: &BlockDevice| {
            let ids = self.ids.iter().filter(|(_, path)| *path == disk.name);
            let ids: Vec<&str> = ids.map(|(id, _)| id.as_str()).collect();
            let (name, size, model) = (&disk.name, disk.size / 1_000_000_000, &disk.model);
            format!("{name} ({size} GB, {model}): {}", ids.join(", "))
        };
        disks.map(line).collect()
    }
}

/// The value of a name in /etc/os-release; empty if it has none.
fn os_release(text: &str, name: &str) -> String {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let value = lines.find(|(key, _)| *key == name).map(|(_, value)| value);
    value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
pub mod tests;
