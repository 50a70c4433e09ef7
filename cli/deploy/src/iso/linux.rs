//! The disks of a Linux computer, as the kernel and udev describe them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    disk::{FoundDisk, Volume},
    mounts::{Mount, swaps},
};

/// Where a Linux computer describes its disks.
#[derive(Debug, Clone)]
pub struct LinuxDisks {
    /// sysfs: `/sys`.
    pub sys: PathBuf,
    /// procfs: `/proc`.
    pub proc: PathBuf,
    /// The devices' files: `/dev`.
    pub dev: PathBuf,
    /// udev's database: `/run/udev/data`. Without it the contents are not known.
    pub udev: PathBuf,
}

/// The unit of sizes in sysfs, whatever the disk's own sectors are.
const SECTOR: u64 = 512;

/// SCSI's number of a disk. A drive of CDs is 5.
const SCSI_DISK: &str = "0";

impl Default for LinuxDisks {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
            dev: "/dev".into(),
            udev: "/run/udev/data".into(),
        }
    }
}

impl LinuxDisks {
    /// All disks that are hardware.
    pub fn look(&self) -> io::Result<Vec<FoundDisk>> {
        let mounts = Mount::all(&fs::read_to_string(self.proc.join("self/mountinfo"))?);
        // A kernel without swap has no such file.
        let swaps = swaps(&fs::read_to_string(self.proc.join("swaps")).unwrap_or_default());
        let mut disks = Vec::new();
        for name in names(&self.sys.join("block"))? {
            if let Some(disk) = self.disk(&name, &mounts, &swaps) {
                disks.push(disk);
            }
        }
        Ok(disks)
    }

    /// A disk; `None` for what is no hardware (loop devices, memory, what is built on disks) and for
    /// drives of CDs.
    fn disk(&self, name: &str, mounts: &[Mount], swaps: &[PathBuf]) -> Option<FoundDisk> {
        let folder = self.sys.join("block").join(name);
        let device = folder.join("device");
        if !device.exists() {
            return None;
        }
        let kind = word(&device.join("type"));
        if kind.as_deref().is_some_and(|kind| kind.len() == 1 && kind != SCSI_DISK) {
            return None;
        }
        let partitions: Vec<String> = names(&folder)
            .unwrap_or_default()
            .into_iter()
            .filter(|part| folder.join(part).join("partition").exists())
            .collect();
        let mut parts: Vec<(String, PathBuf)> = vec![(name.to_owned(), folder.clone())];
        parts.extend(partitions.iter().map(|part| (part.clone(), folder.join(part))));
        let mut needed = BTreeSet::new();
        let mut holders = BTreeSet::new();
        let mut volumes = Vec::new();
        for (part, place) in &parts {
            let volume = self.volume(part, place, mounts);
            let above = self.holders(place);
            for (one, place) in above.iter().chain([&(part.clone(), place.clone())]) {
                needed.extend(self.needs(one, place, mounts, swaps));
            }
            holders.extend(above.into_iter().map(|(one, _)| one));
            let is_whole = part == name;
            if !is_whole || volume.kind.is_some() || !volume.mounted.is_empty() {
                volumes.push(volume);
            }
        }
        let needed: Vec<String> = needed.into_iter().collect();
        let model = [word(&device.join("vendor")), word(&device.join("model"))];
        // A virtual disk has a number as its vendor.
        let model = model.into_iter().flatten().filter(|word| !word.starts_with("0x"));
        let model: Vec<String> = model.collect();
        let model = match model.is_empty() {
            // A card has a name instead.
            true => word(&device.join("name")).unwrap_or_else(|| "a disk without a name".into()),
            false => model.join(" "),
        };
        Some(FoundDisk {
            name: name.to_owned(),
            node: self.dev.join(name),
            raw: self.dev.join(name),
            model,
            bytes: size(&folder),
            removable: word(&folder.join("removable")).as_deref() == Some("1")
                || kind.as_deref() == Some("SD")
                || is_on_usb(&folder),
            read_only: word(&folder.join("ro")).as_deref() == Some("1"),
            volumes,
            needed_for: (!needed.is_empty()).then(|| needed.join(", ")),
            holders: holders.into_iter().collect(),
            sequence: word(&folder.join("diskseq")),
        })
    }

    fn volume(&self, name: &str, place: &Path, mounts: &[Mount]) -> Volume {
        let numbers = word(&place.join("dev")).unwrap_or_default();
        let known = fs::read_to_string(self.udev.join(format!("b{numbers}"))).unwrap_or_default();
        let field = |name: &str| {
            let mut values = known.lines().filter_map(|line| line.strip_prefix(name));
            values.next().map(str::to_owned)
        };
        Volume {
            name: name.to_owned(),
            bytes: size(place),
            kind: field("E:ID_FS_TYPE="),
            label: field("E:ID_FS_LABEL="),
            mounted: self.mounts_of(name, place, mounts).map(|mount| mount.at.clone()).collect(),
        }
    }

    fn mounts_of<'m>(
        &self,
        name: &str,
        place: &Path,
        mounts: &'m [Mount],
    ) -> impl Iterator<Item = &'m Mount> {
        let (numbers, node) = (word(&place.join("dev")), self.dev.join(name));
        mounts.iter().filter(move |mount| {
            numbers.as_deref() == Some(&mount.numbers) || is_same(&mount.source, &node)
        })
    }

    /// What this computer needs a device for.
    fn needs(&self, name: &str, place: &Path, mounts: &[Mount], swaps: &[PathBuf]) -> Vec<String> {
        let node = self.dev.join(name);
        let mounted = self.mounts_of(name, place, mounts).filter(|mount| mount.is_needed());
        let mut needs: Vec<String> = mounted.map(|mount| mount.at.display().to_string()).collect();
        if swaps.iter().any(|swap| is_same(swap, &node)) {
            needs.push("swap".into());
        }
        needs
    }

    /// What is built on a device, and on that.
    fn holders(&self, place: &Path) -> Vec<(String, PathBuf)> {
        let mut all = Vec::new();
        for name in names(&place.join("holders")).unwrap_or_default() {
            let above = self.sys.join("block").join(&name);
            let more = self.holders(&above);
            all.push((name, above));
            all.extend(more);
        }
        all
    }
}

/// Whether both are one device. A name below `/dev/mapper` is a link.
fn is_same(one: &Path, node: &Path) -> bool {
    one == node || (one.is_absolute() && one.canonicalize().is_ok_and(|path| path == node))
}

/// Disks in a case on a cable say that they are not removable.
fn is_on_usb(folder: &Path) -> bool {
    let Ok(path) = folder.canonicalize() else { return false };
    path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("usb"))
}

fn size(folder: &Path) -> u64 {
    let sectors = word(&folder.join("size")).and_then(|text| text.parse::<u64>().ok());
    sectors.unwrap_or_default().saturating_mul(SECTOR)
}

/// The text of a file of sysfs, if there is one.
fn word(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    let mut names: Vec<String> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
