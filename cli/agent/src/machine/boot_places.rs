//! The places of a boot loader's files, found by the files that NixOS's builders write. The EFI
//! system partition has no fixed mount point, and GRUB may be mirrored to several disks.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use deploy_wire::attempt::Mode;

use crate::machine::look;

/// The files that a builder writes at the top of such a place.
const FILES: [&str; 6] = [
    "grub/grub.cfg",
    "extlinux/extlinux.conf",
    SYSTEMD_BOOT,
    "EFI/nixos",
    "limine/limine.conf",
    "efi/limine/limine.conf",
];
/// The file of systemd-boot.
pub const SYSTEMD_BOOT: &str = "loader/loader.conf";
/// Paths that count as places even if they are not mounted. Looking at them mounts their
/// automounts.
const USUAL: [&str; 3] = ["boot", "efi", "boot/efi"];
/// The file systems that boot loaders can read. No other file system is touched, because a dead
/// network mount would block the agent.
const READ: [&str; 9] = ["vfat", "exfat", "ext2", "ext3", "ext4", "btrfs", "xfs", "f2fs", "zfs"];

/// A folder with a boot loader's files, or a file system mounted for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootPlace {
    pub path: PathBuf,
    /// Whether the place is a mount point.
    pub mounted: bool,
    /// Whether the place has files of a boot loader.
    pub has_files: bool,
}

impl BootPlace {
    /// Whether the place has the settings of systemd-boot.
    pub fn has_systemd_boot(&self) -> bool {
        self.path.join(SYSTEMD_BOOT).exists()
    }

    /// Whether a boot loader's builder writes to the place.
    pub fn is_used(&self) -> bool {
        self.mounted || self.has_files
    }
}

/// The places of this machine.
pub fn all() -> Vec<BootPlace> {
    below(Path::new("/"), || fs::read_to_string("/proc/mounts").unwrap_or_default())
}

/// The places below a root. The mounts are read after the usual paths, because looking at these may
/// mount them.
fn below(root: &Path, mounts: impl FnOnce() -> String) -> Vec<BootPlace> {
    let has_files = |path: &Path| FILES.iter().any(|file| path.join(file).exists());
    let usual = USUAL.iter().map(|place| root.join(place)).filter(|path| path.is_dir());
    let mut places: Vec<BootPlace> =
        usual.map(|path| BootPlace { has_files: has_files(&path), mounted: false, path }).collect();
    for mount in mounted(&mounts()) {
        let path = root.join(mount.place.trim_start_matches('/'));
        if let Some(place) = places.iter_mut().find(|place| place.path == path) {
            place.mounted = true;
            continue;
        }
        let found = READ.contains(&mount.kind.as_str()) && has_files(&path);
        // A file system that is mounted twice is one place: a damaged file that was removed from
        // one mount point is missing at the other.
        // `systemd-boot-with-a-truncated-kernel-or-a-corrupt-entry-boots-it-all-the-same` proves
        // it.
        let is_known = places.iter().any(|place| is_same_folder(&place.path, &path));
        if mount.place != "/" && !is_known && (is_for_boot(&mount.place) || found) {
            places.push(BootPlace { has_files: has_files(&path), mounted: true, path });
        }
    }
    places
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    let place = |path| fs::metadata(path).map(|is| (is.dev(), is.ino()));
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}

/// Whether a mount point's name is one for a boot loader: `/boot`, `/boot/efi`, `/boot-fallback`.
fn is_for_boot(place: &str) -> bool {
    place.starts_with("/boot") || place.starts_with("/efi")
}

/// A line of /proc/mounts.
struct Mount {
    place: String,
    kind: String,
}

fn mounted(mounts: &str) -> impl Iterator<Item = Mount> {
    mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        // Blanks are written as octal numbers.
        let place = words.next()?.replace("\\040", " ");
        let kind = words.next()?.to_owned();
        // An automount that nobody has used yet is no mount.
        (kind != "autofs").then_some(Mount { place, kind })
    })
}

/// A note before the switch if more than one boot loader has files, as after a change of boot
/// loaders.
pub fn note(mode: Mode) -> Option<String> {
    let several = mode != Mode::Test && look::loader_files().is_of_several();
    several.then(|| {
        "there are files of more than one boot loader: what the firmware starts may be another \
         than what this deploy writes; remove those of the old one"
            .to_owned()
    })
}

/// A mount point for a boot loader that /etc/fstab names and that is not mounted.
pub fn not_mounted() -> Option<String> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    missing(&read("/etc/fstab"), &read("/proc/mounts"))
}

fn missing(fstab: &str, mounts: &str) -> Option<String> {
    let mounts: Vec<String> = mounted(mounts).map(|mount| mount.place).collect();
    fstab.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find_map(|words| {
        let (device, place) = (words.first()?, *words.get(1)?);
        let later = words.get(3).is_some_and(|options| {
            options.split(',').any(|option| option == "noauto" || option == "x-systemd.automount")
        });
        let place = place.trim_end_matches('/');
        let is_missing = !device.starts_with('#')
            && is_for_boot(place)
            && !later
            && !mounts.iter().any(|mount| mount == place);
        is_missing.then(|| place.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of a root that has these files and these mounts.
    fn places(files: &[&str], mounts: &str) -> Vec<(String, bool, bool)> {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let found = below(root.path(), || mounts.to_owned()).into_iter();
        let place = |path: &Path| path.strip_prefix(root.path()).unwrap().display().to_string();
        found.map(|found| (place(&found.path), found.mounted, found.has_files)).collect()
    }

    #[test]
    fn a_file_system_that_is_mounted_twice_is_one_place() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("boot/grub")).unwrap();
        fs::write(root.path().join("boot/grub/grub.cfg"), "").unwrap();
        std::os::unix::fs::symlink("boot", root.path().join("disk")).unwrap();
        let mounts = "/dev/sda1 /disk ext4 rw 0 0\n/dev/sda1 /boot ext4 rw 0 0\n";
        let found = below(root.path(), || mounts.to_owned());
        let paths: Vec<_> = found.iter().map(|place| &place.path).collect();
        assert_eq!(paths, [&root.path().join("boot")]);
    }

    #[test]
    fn every_file_system_with_a_loader_s_files_is_found() {
        let place = |path: &str, mounted, has_files| (path.to_owned(), mounted, has_files);
        // /boot as a part of the root file system.
        assert_eq!(
            places(&["boot/grub/grub.cfg"], "x / ext4 rw 0 0\n"),
            [place("boot", false, true)]
        );
        // /efi, and no /boot.
        let mounts = "x / ext4 rw 0 0\n/dev/sda1 /efi vfat rw 0 0\n";
        assert_eq!(places(&["efi/loader/loader.conf"], mounts), [place("efi", true, true)]);
        // /boot, and below it the EFI system partition with nothing but GRUB's program.
        let mounts = "/dev/sda2 /boot ext4 rw 0 0\n/dev/sda1 /boot/efi vfat rw 0 0\n";
        assert_eq!(
            places(&["boot/grub/grub.cfg", "boot/efi/EFI/NixOS-boot/grubx64.efi"], mounts),
            [place("boot", true, true), place("boot/efi", true, false)]
        );
        // A mirrored GRUB, and an EFI system partition at an unusual mount point.
        let mounts = "/dev/sda1 /boot-1 ext4 rw 0 0\n/dev/sdb1 /mnt/my\\040esp vfat rw 0 0\n\
                      /dev/sdc1 /srv ext4 rw 0 0\nhost:/x /net nfs4 rw 0 0\n";
        assert_eq!(
            places(
                &[
                    "boot-1/grub/grub.cfg",
                    "mnt/my esp/EFI/nixos/x-bzImage.efi",
                    "srv/data",
                    "net/grub/grub.cfg"
                ],
                mounts
            ),
            [place("boot-1", true, true), place("mnt/my esp", true, true)]
        );
        // An automount, which is not mounted before somebody looks at it.
        let mounts = "systemd-1 /efi autofs rw 0 0\n";
        assert_eq!(places(&["efi/x"], mounts), [place("efi", false, false)]);
    }

    #[test]
    fn what_fstab_names_for_a_loader_has_to_be_mounted() {
        let mounts = "x / ext4 rw 0 0\n/dev/sda1 /boot vfat rw 0 0\n";
        assert_eq!(missing("# comment\n/dev/sda1 /boot vfat defaults 0 2\n", mounts), None);
        for (fstab, place) in [
            (
                "/dev/sda1 /boot vfat defaults 0 2\n/dev/sdb1 /boot/efi vfat defaults 0 2\n",
                "/boot/efi",
            ),
            ("/dev/sda1 /efi/ vfat defaults 0 2\n", "/efi"),
            ("/dev/sda1 /boot-2 ext4\n", "/boot-2"),
        ] {
            assert_eq!(missing(fstab, mounts).as_deref(), Some(place));
        }
        for fstab in [
            "#/dev/sda1 /efi vfat defaults 0 2\n",
            "/dev/sda1 /efi vfat noauto 0 2\n",
            "/dev/sda1 /efi vfat ro,x-systemd.automount 0 2\n",
            "/dev/sdb1 /srv ext4 defaults 0 2\n",
        ] {
            assert_eq!(missing(fstab, mounts), None, "{fstab}");
        }
    }
}
