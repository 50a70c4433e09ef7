//! Checks before the switch that the commit will be able to write the boot loader.

use std::{
    fs,
    path::{Path, PathBuf},
};

use deploy_wire::{
    message::{Refusal, RefusalKind},
    store_path::StorePath,
};
use rustix::fs::{StatVfsMountFlags, statvfs};

use super::{
    refusal::{refuse, refuse_with},
    room::free_bytes,
};
use crate::{
    machine::{
        boot_files,
        boot_places::{self, BootPlace},
        look,
    },
    storage::paths::PROFILE,
};

const BOOT: &str = "/boot";
const PROFILES: &str = "/nix/var/nix/profiles";
/// Bytes for the loader's own files.
const NEEDED: u64 = 256 << 10;

/// Checks every place that the boot loader's builder writes to.
pub fn refuse_unfit_places(wanted: &StorePath) -> Result<(), Refusal> {
    let no = |why: String| Err(refuse(RefusalKind::BootPartition, why));
    if let Some(place) = boot_places::not_mounted() {
        return no(format!("{place} is in /etc/fstab and is not mounted"));
    }
    let places: Vec<BootPlace> =
        boot_places::all().into_iter().filter(BootPlace::is_used).collect();
    for place in places.iter().filter(|place| place.has_files || place.path == Path::new(BOOT)) {
        let path = place.path.display();
        let disk = statvfs(&place.path)
            .map_err(|error| refuse(RefusalKind::BootPartition, format!("{path}: {error}")))?;
        if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return no(format!("{path} is mounted read-only"));
        }
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
    if places.iter().any(BootPlace::has_systemd_boot) {
        refuse_unreadable_generations(Path::new(PROFILES))?;
    }
    needed(&places, &boot_files::of(wanted))
        .into_iter()
        .try_for_each(|needed| refuse_without_room(&needed))
}

/// The space that a place needs.
#[derive(Debug, PartialEq, Eq)]
struct Needed<'p> {
    path: &'p Path,
    bytes: u64,
    takes_kernels: bool,
}

/// The space that each place needs. Nothing is copied to the store's own file system. Kernels go to
/// the places that already have some, or to /boot if none has. Every place with the loader's files
/// gets new versions of these.
fn needed<'p>(places: &'p [BootPlace], files: &[PathBuf]) -> Vec<Needed<'p>> {
    let mounted = || places.iter().filter(|place| place.mounted);
    let has_kernels = |place: &BootPlace| boot_files::has_any(&place.path);
    let none_yet = !mounted().any(has_kernels);
    let needed = mounted().filter_map(|place| {
        let path = place.path.as_path();
        let takes_kernels = has_kernels(place) || (none_yet && path == Path::new(BOOT));
        let missing = files.iter().filter(|file| takes_kernels && !boot_files::is_in(path, file));
        let bytes = NEEDED + missing.map(|file| size(file)).sum::<u64>();
        (takes_kernels || place.has_files).then_some(Needed { path, bytes, takes_kernels })
    });
    needed.collect()
}

fn refuse_without_room(needed: &Needed<'_>) -> Result<(), Refusal> {
    let free = free_bytes(&needed.path.to_string_lossy())?;
    if free >= needed.bytes {
        return Ok(());
    }
    let what = match needed.takes_kernels {
        true => "the new kernel and initrd need",
        false => "the boot loader's own files need",
    };
    let why = format!(
        "{} has {} KiB free, {what} {} KiB",
        needed.path.display(),
        free >> 10,
        needed.bytes >> 10
    );
    Err(refuse_with(
        RefusalKind::BootPartition,
        why,
        "make room there: nix-collect-garbage --delete-older-than 30d, then \
         /run/current-system/bin/switch-to-configuration boot",
    ))
}

/// Refuses if a generation has an invalid `boot.json`. systemd-boot's builder reads the file of
/// every generation, and would fail at the commit, after the switch.
fn refuse_unreadable_generations(profiles: &Path) -> Result<(), Refusal> {
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
        let refusal = refuse_unreadable_generations(folder.path()).unwrap_err();
        assert!(refusal.why.contains("generation 2 is damaged"), "{}", refusal.why);
        fs::remove_file(folder.path().join("system-2-link/boot.json")).unwrap();
        assert_eq!(refuse_unreadable_generations(folder.path()), Ok(()));
    }

    #[test]
    fn room_is_needed_where_kernels_are_and_where_the_loader_s_files_are() {
        let root = tempfile::tempdir().unwrap();
        let place = |name: &str, has_files| BootPlace {
            path: root.path().join(name),
            mounted: true,
            has_files,
        };
        let kernel = root.path().join("g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-linux/bzImage");
        for folder in
            ["efi/EFI/nixos", "xbootldr/EFI/nixos", "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-linux"]
        {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(&kernel, [1; 1000]).unwrap();
        let files = [kernel];
        // The first kernel goes to where the loader looks, which the name of a folder does not
        // reveal.
        let (efi, boot) = (place("efi", true), place("xbootldr", false));
        let places = [efi.clone(), boot];
        let told = |places: &[BootPlace]| -> Vec<(u64, bool)> {
            needed(places, &files)
                .iter()
                .map(|needed| (needed.bytes, needed.takes_kernels))
                .collect()
        };
        assert_eq!(told(&places), [(NEEDED, false)]);
        // The loader's partition has its own files; the kernels are on the other partition.
        fs::write(root.path().join("xbootldr/EFI/nixos/other.efi"), "").unwrap();
        assert_eq!(told(&places), [(NEEDED, false), (NEEDED + 1000, true)]);
        // A name of another builder, such as Lanzaboote.
        fs::write(root.path().join("xbootldr/EFI/nixos/kernel-6.12-x.efi"), [1; 1000]).unwrap();
        assert_eq!(told(&places), [(NEEDED, false), (NEEDED, true)]);
        // If names contain store paths, a file that has another store path is no copy.
        let other = "xbootldr/EFI/nixos/00000000000000000000000000000000-linux-bzImage.efi";
        fs::write(root.path().join(other), [1; 1000]).unwrap();
        assert_eq!(told(&places), [(NEEDED, false), (NEEDED + 1000, true)]);
        assert_eq!(told(&[BootPlace { mounted: false, ..efi }]), []);
    }
}
