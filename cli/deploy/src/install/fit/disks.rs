//! The disks of a computer beside those that the configuration names.

use super::{Fitting, Wipe};
use crate::{
    error::Result,
    install::{blocks::BlockDevice, facts::ComputerFacts, wish::WantedDisk},
};

/// Where disko mounts what it makes. An earlier installation may have left that.
const TARGET: &str = "/mnt";

/// A disk that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskToWrite {
    /// Its name in the configuration.
    pub name: String,
    /// Its device, as the configuration names it.
    pub wanted: String,
    /// Its path on the computer.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The manufacturer's name for it; may be empty.
    pub model: String,
    /// What is on it, and is lost.
    pub contents: Vec<String>,
}

impl Fitting<'_> {
    /// The disks, if each of them may be written.
    pub(super) fn disks(
        &self,
        facts: &ComputerFacts,
        is_installer: bool,
    ) -> Result<Vec<DiskToWrite>> {
        let mut disks: Vec<DiskToWrite> = Vec::new();
        for wanted in &self.wish.disks {
            let disk = self.disk(wanted, facts, is_installer)?;
            if let Some(other) = disks.iter().find(|other| other.path == disk.name) {
                return Err(self.refused().because(format!(
                    "{} and {} of disko.devices.disk are one disk there, {}",
                    other.name, wanted.name, disk.name
                )));
            }
            disks.push(DiskToWrite {
                name: wanted.name.clone(),
                wanted: wanted.device.clone(),
                path: disk.name.clone(),
                bytes: disk.size,
                model: disk.model.clone(),
                contents: disk.contents(),
            });
        }
        let used: Vec<&DiskToWrite> =
            disks.iter().filter(|disk| !disk.contents.is_empty()).collect();
        if used.is_empty() || self.wipe == Wipe::Agreed {
            return Ok(disks);
        }
        let lines = used.iter().flat_map(|disk| &disk.contents);
        Err(lines.fold(self.refused(), |failure, line| failure.because(line)).hint(Some(format!(
            "something is on its disks; {} goes on, and all of it is lost",
            self.wipe_flag()
        ))))
    }

    fn disk<'f>(
        &self,
        wanted: &WantedDisk,
        facts: &'f ComputerFacts,
        is_installer: bool,
    ) -> Result<&'f BlockDevice> {
        let WantedDisk { name, device } = wanted;
        let refused = |why: &str| {
            let why = format!("disko.devices.disk.{name} is {device}, {why}");
            let list = facts.disks();
            let list = if list.is_empty() { vec!["no disk is there".into()] } else { list };
            self.refused().because(why).hint(Some(format!("its disks:\n{}", list.join("\n"))))
        };
        let Some(disk) = facts.device(device) else {
            return Err(refused("and there is no such disk"));
        };
        if disk.kind == "part" {
            return Err(refused("which is a partition there"));
        }
        if disk.read_only {
            return Err(refused("which nothing can be written to"));
        }
        let foreign = |point: &&str| *point != TARGET && !point.starts_with("/mnt/");
        let in_use: Vec<&str> =
            disk.mounted().into_iter().filter(foreign).filter(|point| *point != "[SWAP]").collect();
        if is_installer && !in_use.is_empty() {
            // Not even with --wipe: the installer itself may run from it.
            return Err(refused(&format!(
                "which the installer uses: it is mounted at {}",
                in_use.join(", ")
            )));
        }
        Ok(disk)
    }
}
