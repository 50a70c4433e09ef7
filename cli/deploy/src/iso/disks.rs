//! The disks of this computer: looked at, unmounted, read past the kernel's memory.

use super::{
    disk::FoundDisk,
    linux::LinuxDisks,
    mac::{self, DiskutilAnswers},
};
use crate::{
    error::{Failure, Result, State},
    tools::process::{Invocation, ProcessError},
};

/// How this computer describes its disks.
#[derive(Debug, Clone)]
pub enum Disks {
    /// Linux: sysfs, procfs and udev's database.
    Linux(LinuxDisks),
    /// macOS: `diskutil`.
    Mac,
}

impl Disks {
    /// The disks of this computer.
    pub fn here() -> Self {
        match std::env::consts::OS {
            "macos" => Self::Mac,
            _ => Self::Linux(LinuxDisks::default()),
        }
    }

    /// All disks that are hardware.
    pub async fn look(&self) -> Result<Vec<FoundDisk>> {
        let failed = || Failure::unchanged("the disks of this computer cannot be listed");
        match self {
            Self::Linux(disks) => disks.look().map_err(|error| failed().because(error)),
            Self::Mac => DiskutilAnswers::ask()
                .await
                .map_err(|error| told(failed(), &error))?
                .disks()
                .map_err(|why| failed().because(why)),
        }
    }

    /// Unmounts all that is mounted from a disk. Nothing is written to it before.
    pub async fn unmount(&self, disk: &FoundDisk) -> Result<()> {
        let invocations = match self {
            Self::Mac => vec![mac::unmounting(&disk.name)],
            // What was mounted later may be mounted in the earlier.
            Self::Linux(_) => {
                let folders = disk.volumes.iter().flat_map(|volume| &volume.mounted).rev();
                folders.map(|folder| Invocation::new("umount").arg("--").arg(folder)).collect()
            }
        };
        for invocation in invocations {
            invocation.output().await.map_err(|error| {
                let what = format!("{} is mounted and cannot be unmounted", disk.node.display());
                told(Failure::unchanged(what), &error)
                    .state(State::Changed("nothing was written to it".into()))
                    .hint(Some("close what uses it, and run deploy as root".into()))
            })?;
        }
        Ok(())
    }

    /// Has the next read of a disk come from the disk. Without it Linux would compare the image
    /// with its own memory: `what_the_disk_did_not_keep_is_found` proves it. On a Mac the raw
    /// device has no such memory.
    pub async fn forget_what_was_written(
        &self,
        disk: &FoundDisk,
    ) -> std::result::Result<(), String> {
        let Self::Linux(_) = self else { return Ok(()) };
        let flushed = Invocation::new("blockdev").arg("--flushbufs").arg(&disk.node).output().await;
        flushed.map(drop).map_err(|error| format!("{error}: {}", error.stderr().trim()))
    }

    /// Makes a disk ready to be unplugged. On Linux all is written already.
    pub async fn eject(&self, disk: &FoundDisk) {
        if let Self::Mac = self {
            // Finder would ask what to do with a disk that it cannot read.
            let _ = mac::ejecting(&disk.name).output().await;
        }
    }
}

fn told(failure: Box<Failure>, error: &ProcessError) -> Box<Failure> {
    failure.because(error).because(error.stderr().trim())
}
