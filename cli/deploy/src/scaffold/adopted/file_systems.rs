//! The file systems of a machine on which nixos-generate-config cannot be run.

use std::collections::BTreeMap;

use super::Surveyed;

/// What is mounted from a disk, and swap.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FileSystems {
    /// Each with its folder, device, kind and the options that decide what of the device it is.
    pub mounted: Vec<MountedFileSystem>,
    /// Devices of swap.
    pub swap: Vec<String>,
}

/// A file system of a disk.
#[derive(Debug, PartialEq, Eq)]
pub struct MountedFileSystem {
    pub folder: String,
    pub device: String,
    pub kind: String,
    pub options: Vec<String>,
}

/// Kinds that are on a disk and that a system needs. A network's are left out: their devices and
/// options may have passwords.
const OF_DISKS: [&str; 8] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "f2fs", "bcachefs"];

/// Reads them. The first mount of a folder counts: what is bound into it later has the same device.
pub fn all(said: &Surveyed) -> FileSystems {
    let names: BTreeMap<&str, &str> = said
        .disks
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, device)| (device, name))
        .collect();
    let by_name = |device: &str| names.get(device).map_or(device, |name| name).to_owned();
    let mut found = FileSystems::default();
    for line in said.mounts.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [device, folder, kind, options, ..] = words.as_slice() else { continue };
        let is_system = !["/nix/store", "/run", "/proc", "/sys", "/dev"]
            .iter()
            .any(|place| folder == place || folder.starts_with(&format!("{place}/")));
        let is_known = found.mounted.iter().any(|other| other.folder == unescaped(folder));
        if !OF_DISKS.contains(kind) || !device.starts_with('/') || !is_system || is_known {
            continue;
        }
        let is_kept = |option: &&str| option.starts_with("subvol=") || **option == *"ro";
        let umask = options.split(',').filter(|option| {
            *kind == "vfat" && (option.starts_with("fmask=") || option.starts_with("dmask="))
        });
        found.mounted.push(MountedFileSystem {
            folder: unescaped(folder),
            device: by_name(&unescaped(device)),
            kind: (*kind).to_owned(),
            options: options.split(',').filter(is_kept).chain(umask).map(str::to_owned).collect(),
        });
    }
    let swaps = said.swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    // zram is no device that stays.
    let swaps = swaps.filter(|device| device.starts_with("/dev/") && !device.contains("zram"));
    found.swap = swaps.map(by_name).collect();
    found
}

/// The kernel writes blanks as `\040`.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}
