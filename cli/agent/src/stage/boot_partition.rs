//! Whether the commit will be able to write the boot loader: found out before
//! anything is switched.

use std::{fs, path::Path};

use deploy_wire::{
    loader::{EXTLINUX, GRUB, SYSTEMD_BOOT},
    message::{Refusal, RefusalKind},
    store_path::StorePath,
};
use rustix::fs::{StatVfsMountFlags, statvfs};

use super::{
    refusal::{refuse, refuse_with},
    room::free,
};
use crate::{boot_files, look, paths::PROFILE};

const BOOT: &str = "/boot";
const PROFILES: &str = "/nix/var/nix/profiles";
/// What the loader's own file may need besides.
const NEEDED: u64 = 256 << 10;

/// Looks at /boot, where a loader that we know writes to it.
pub fn look(wanted: &StorePath) -> Result<(), Refusal> {
    let no = |why: String| Err(refuse(RefusalKind::BootPartition, why));
    let mounted = mounted(&fs::read_to_string("/proc/mounts").unwrap_or_default());
    if !mounted && in_fstab(&fs::read_to_string("/etc/fstab").unwrap_or_default()) {
        return no("/boot is in /etc/fstab and is not mounted".into());
    }
    let loaders = [GRUB, EXTLINUX].into_iter().chain(SYSTEMD_BOOT);
    let has_loader = loaders.into_iter().any(|file| Path::new(file).exists());
    if !mounted && !has_loader {
        return Ok(());
    }
    let disk = statvfs(BOOT)
        .map_err(|error| refuse(RefusalKind::BootPartition, format!("{BOOT}: {error}")))?;
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return no("/boot is mounted read-only".into());
    }
    if let Some(file) = boot_files::left_over() {
        let file = file.display();
        let why = format!(
            "{file} is left from an interrupted installation, and systemd-boot's builder refuses \
             to write over it"
        );
        let hint = format!("remove it there, once no other tool is at work: rm {file}");
        return Err(refuse_with(RefusalKind::BootPartition, why, hint));
    }
    if SYSTEMD_BOOT.into_iter().any(|file| Path::new(file).exists()) {
        generations_are_readable(Path::new(PROFILES))?;
    }
    // On the store's own file system nothing is copied.
    if !mounted {
        return Ok(());
    }
    let missing = boot_files::of(wanted).into_iter();
    let missing = missing.filter(|path| boot_files::copies(path).is_empty());
    let needed = NEEDED + missing.map(|path| size(&path)).sum::<u64>();
    let free = free(BOOT)?;
    if free >= needed {
        return Ok(());
    }
    let why = format!(
        "/boot has {} KiB free, the new kernel and initrd need {} KiB",
        free >> 10,
        needed >> 10
    );
    Err(refuse_with(
        RefusalKind::BootPartition,
        why,
        "make room there: nix-collect-garbage --delete-older-than 30d, then \
         /run/current-system/bin/switch-to-configuration boot",
    ))
}

/// systemd-boot's builder reads `boot.json` of every generation, and one that is no JSON stops
/// it: found out here instead of after the switch.
fn generations_are_readable(profiles: &Path) -> Result<(), Refusal> {
    for entry in fs::read_dir(profiles).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(number) = look::generation_number(&name) else { continue };
        let Ok(text) = fs::read(entry.path().join("boot.json")) else { continue };
        if let Err(error) = serde_json::from_slice::<serde_json::Value>(&text) {
            let why = format!(
                "the boot.json of generation {number} is damaged ({error}), and systemd-boot's \
                 builder stops at it"
            );
            let hint = format!(
                "delete that generation there: nix-env --profile {PROFILE} --delete-generations \
                 {number}"
            );
            return Err(refuse_with(RefusalKind::BootPartition, why, hint));
        }
    }
    Ok(())
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn mounted(mounts: &str) -> bool {
    mounts.lines().any(|line| line.split(' ').nth(1) == Some(BOOT))
}

fn in_fstab(fstab: &str) -> bool {
    fstab.lines().any(|line| {
        let mut words = line.split_whitespace();
        let device = words.next().unwrap_or("#");
        let noauto = line.split_whitespace().nth(3).is_some_and(|options| {
            options.split(',').any(|option| option == "noauto" || option == "x-systemd.automount")
        });
        !device.starts_with('#') && words.next() == Some(BOOT) && !noauto
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_with_a_damaged_boot_json_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("system-1-link", "{}"), ("system-2-link", "{ \"org"), ("x", "{")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("boot.json"), text).unwrap();
        }
        let refusal = generations_are_readable(folder.path()).unwrap_err();
        assert!(refusal.why.contains("generation 2 is damaged"), "{}", refusal.why);
        fs::remove_file(folder.path().join("system-2-link/boot.json")).unwrap();
        assert_eq!(generations_are_readable(folder.path()), Ok(()));
    }

    #[test]
    fn fstab_and_mounts_are_read() {
        assert!(mounted("x / ext4 rw 0 0\n/dev/sda1 /boot vfat rw 0 0\n"));
        assert!(!mounted("/dev/sda1 /boot/efi vfat rw 0 0\n"));
        assert!(in_fstab("# comment\n/dev/sda1 /boot vfat defaults 0 2\n"));
        assert!(!in_fstab("#/dev/sda1 /boot vfat defaults 0 2\n"));
        assert!(!in_fstab("/dev/sda1 /boot vfat noauto 0 2\n"));
    }
}
