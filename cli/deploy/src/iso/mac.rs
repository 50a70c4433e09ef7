//! The disks of a Mac, as `diskutil` describes them. Its property lists come as JSON from
//! `plutil`, which is part of macOS too.

use serde::Deserialize;

use super::disk::{FoundDisk, Volume};
use crate::tools::process::{Invocation, ProcessError};

/// What `diskutil list -plist` has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DiskutilList {
    #[serde(default)]
    all_disks_and_partitions: Vec<ListedDisk>,
}

/// A disk, a partition or a volume of APFS in it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedDisk {
    device_identifier: String,
    #[serde(default)]
    size: u64,
    content: Option<String>,
    volume_name: Option<String>,
    mount_point: Option<String>,
    #[serde(default)]
    partitions: Vec<ListedDisk>,
    #[serde(default, rename = "APFSVolumes")]
    apfs_volumes: Vec<ListedDisk>,
    #[serde(default, rename = "APFSPhysicalStores")]
    apfs_physical_stores: Vec<PhysicalStore>,
}

/// A partition that a container of APFS is in. `diskutil list` and `diskutil info` call it by other
/// names.
#[derive(Debug, Deserialize)]
struct PhysicalStore {
    #[serde(alias = "APFSPhysicalStore", rename = "DeviceIdentifier")]
    device: String,
}

/// What `diskutil info -plist` has of a disk or a volume.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DiskutilInfo {
    media_name: Option<String>,
    parent_whole_disk: Option<String>,
    virtual_or_physical: Option<String>,
    #[serde(default)]
    removable_media_or_external_device: bool,
    #[serde(default)]
    writable_media: bool,
    #[serde(default, rename = "APFSPhysicalStores")]
    apfs_physical_stores: Vec<PhysicalStore>,
}

/// Everything that is asked of `diskutil`.
#[derive(Debug, Default)]
pub struct DiskutilAnswers {
    /// The disks.
    pub list: Vec<u8>,
    /// The volume that is the root.
    pub root: Vec<u8>,
    /// Each whole disk.
    pub disks: Vec<Vec<u8>>,
}

/// The command line for a property list as JSON.
fn asking(question: &[&str]) -> Invocation {
    let script = "diskutil \"$@\" | plutil -convert json -o - -";
    Invocation::new("/bin/sh").args(["-c", script, "diskutil"]).args(question)
}

/// Unmounts everything on a disk, containers of APFS included.
pub fn unmounting(name: &str) -> Invocation {
    Invocation::new("diskutil").args(["unmountDisk", name])
}

/// Makes a disk ready to be unplugged.
pub fn ejecting(name: &str) -> Invocation {
    Invocation::new("diskutil").args(["eject", name])
}

impl DiskutilAnswers {
    /// Asks `diskutil`.
    pub async fn ask() -> Result<Self, ProcessError> {
        let list = asking(&["list", "-plist"]).output().await?;
        let root = asking(&["info", "-plist", "/"]).output().await?;
        let mut disks = Vec::new();
        for name in whole(&list) {
            disks.push(asking(&["info", "-plist", &name]).output().await?);
        }
        Ok(Self { list, root, disks })
    }

    /// The disks that are hardware.
    pub fn disks(&self) -> Result<Vec<FoundDisk>, String> {
        let list: DiskutilList = read(&self.list, "list")?;
        let root: DiskutilInfo = read(&self.root, "info /")?;
        let mut needed: Vec<&str> =
            root.apfs_physical_stores.iter().map(|store| store.device.as_str()).collect();
        needed.extend(root.parent_whole_disk.as_deref());
        // Containers are disks of their own in the list, and are on a partition.
        let (made, real): (Vec<&ListedDisk>, Vec<&ListedDisk>) =
            list.all_disks_and_partitions.iter().partition(|disk| is_made(disk));
        let mut disks = Vec::new();
        for (disk, info) in real.into_iter().zip(&self.disks) {
            let info: DiskutilInfo = read(info, "info")?;
            // An image that is open is a disk too.
            if info.virtual_or_physical.as_deref() == Some("Virtual") {
                continue;
            }
            disks.push(found(disk, &info, &made, &needed));
        }
        Ok(disks)
    }
}

/// A container of APFS, which `diskutil` lists like a disk.
fn is_made(disk: &ListedDisk) -> bool {
    !disk.apfs_physical_stores.is_empty()
}

/// The names of the whole disks in a list.
fn whole(list: &[u8]) -> Vec<String> {
    let list = read::<DiskutilList>(list, "list");
    let disks = list.map(|list| list.all_disks_and_partitions).unwrap_or_default();
    let real = disks.into_iter().filter(|disk| !is_made(disk));
    real.map(|disk| disk.device_identifier).collect()
}

fn read<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(text)
        .map_err(|error| format!("unexpected output of diskutil {what}: {error}"))
}

fn found(
    disk: &ListedDisk,
    info: &DiskutilInfo,
    made: &[&ListedDisk],
    needed: &[&str],
) -> FoundDisk {
    let name = disk.device_identifier.clone();
    let is_part = |device: &str| {
        device == name || disk.partitions.iter().any(|part| part.device_identifier == device)
    };
    let containers = made
        .iter()
        .filter(|one| one.apfs_physical_stores.iter().any(|store| is_part(&store.device)));
    let mut volumes: Vec<Volume> = disk.partitions.iter().map(volume).collect();
    volumes.extend(containers.flat_map(|one| &one.apfs_volumes).map(volume));
    if disk.volume_name.is_some() || disk.mount_point.is_some() {
        volumes.push(volume(disk));
    }
    FoundDisk {
        node: format!("/dev/{name}").into(),
        // The buffered device is many times slower.
        raw: format!("/dev/r{name}").into(),
        model: info.media_name.clone().unwrap_or_else(|| "a disk without a name".into()),
        bytes: disk.size,
        removable: info.removable_media_or_external_device,
        read_only: !info.writable_media,
        volumes,
        needed_for: needed.iter().any(|device| is_part(device)).then(|| "/".to_owned()),
        holders: Vec::new(),
        sequence: None,
        name,
    }
}

fn volume(listed: &ListedDisk) -> Volume {
    Volume {
        name: listed.device_identifier.clone(),
        bytes: listed.size,
        kind: listed.content.clone().filter(|kind| !kind.is_empty()),
        label: listed.volume_name.clone().filter(|label| !label.is_empty()),
        mounted: listed.mount_point.iter().map(Into::into).collect(),
    }
}

#[cfg(test)]
mod tests;
