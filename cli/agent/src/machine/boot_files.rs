//! The copies of kernels and initrds that a boot loader's builder makes on the loader's partition.
//!
//! A builder never replaces an existing copy. A copy that a power cut truncated would therefore
//! stay truncated, and the machine would not boot.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use deploy_wire::store_path::StorePath;

use crate::{
    machine::boot_places::{self, SYSTEMD_BOOT},
    storage::files,
    tools::switch_lock,
};

/// The folders of the copies below a loader's mount point: those of GRUB, extlinux, systemd-boot
/// and Limine.
const FOLDERS: [&str; 4] = ["kernels", "nixos", "EFI/nixos", "limine/kernels"];

/// The kernel and the initrd of a system, in the store.
pub fn of(toplevel: &StorePath) -> Vec<PathBuf> {
    ["kernel", "initrd"]
        .into_iter()
        .filter_map(|name| fs::canonicalize(format!("{toplevel}/{name}")).ok())
        .collect()
}

fn folders(place: &Path) -> impl Iterator<Item = PathBuf> {
    FOLDERS.iter().map(move |folder| place.join(folder))
}

/// The copies of a store file. Their names contain the hash of the store path and the file's name.
fn copies(file: &Path) -> Vec<PathBuf> {
    let places = boot_places::all();
    let folders = places.iter().flat_map(|place| folders(&place.path));
    folders.flat_map(|folder| copies_in(&folder, file)).collect()
}

/// Whether a place has any kernel or initrd.
pub fn has_any(place: &Path) -> bool {
    folders(place).any(|folder| entries(&folder).next().is_some())
}

/// Whether a place has the copy of a file that a builder would make. If a builder does not name its
/// copies by store paths, as Lanzaboote, any file with the same contents counts.
pub fn is_in(place: &Path, file: &Path) -> bool {
    folders(place).any(|folder| {
        let by_contents = !entries(&folder).any(|copy| is_named_by_the_store(&copy));
        !copies_in(&folder, file).is_empty()
            || (by_contents && entries(&folder).any(|copy| is_same(&copy, file)))
    })
}

fn is_named_by_the_store(copy: &Path) -> bool {
    let name = copy.file_name().unwrap_or_default().to_string_lossy();
    StorePath::parse(&format!("/nix/store/{name}")).is_ok()
}

fn is_same(copy: &Path, file: &Path) -> bool {
    let length = |path: &Path| fs::metadata(path).map(|found| found.len()).ok();
    length(copy) == length(file) && begins_with(copy, file).unwrap_or_default()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn copies_in(folder: &Path, file: &Path) -> Vec<PathBuf> {
    let Ok(store) = StorePath::containing(&file.to_string_lossy()) else { return Vec::new() };
    let own = file.file_name().unwrap_or_default().to_string_lossy();
    let is_copy = |name: &str| {
        let name = name.strip_suffix(".efi").unwrap_or(name);
        name.starts_with(store.hash()) && name.ends_with(own.as_ref())
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    entries(folder).filter(|path| is_copy(&name(path))).collect()
}

/// The temporary file of systemd-boot's builder, left by an interrupted run. The builder writes it
/// before it becomes `loader.conf` and never overwrites it, so every later run fails.
pub fn left_over() -> Option<PathBuf> {
    let files = boot_places::all().into_iter().map(|place| place.path.join(SYSTEMD_BOOT));
    files.map(|file| file.with_extension("tmp")).find(|file| file.exists())
}

/// Removes the temporary file unless some process is writing it. A power cut during our own commit
/// leaves it, and the rollback needs the builder:
/// `systemd-boot-is-read-and-a-commit-that-a-power-cut-left-half-done-is-mended` proves it.
pub fn remove_left_over() -> Result<()> {
    let Some(file) = left_over().filter(|_| !switch_lock::runs_now()) else {
        return Ok(());
    };
    fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
    // Without the sync, the next power cut brings the file back.
    files::sync_file_system(&file.parent().unwrap_or(Path::new("/")).to_string_lossy())
}

/// Removes copies of a system's kernel and initrd that differ from the store, so that the builder
/// writes them again.
pub fn remove_damaged(toplevel: &StorePath) -> Result<()> {
    for file in of(toplevel) {
        for copy in copies(&file) {
            let whole = begins_with(&copy, &file)
                .with_context(|| format!("{} cannot be compared", copy.display()))?;
            if !whole {
                fs::remove_file(&copy)
                    .with_context(|| format!("{} cannot be removed", copy.display()))?;
            }
        }
    }
    Ok(())
}

/// Whether a copy begins with the complete original. The builder may append the initrd's secrets.
fn begins_with(copy: &Path, original: &Path) -> io::Result<bool> {
    let (mut copy, mut original) = (File::open(copy)?, File::open(original)?);
    let (mut here, mut there) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let length = original.read(&mut there)?;
        if length == 0 {
            return Ok(true);
        }
        match copy.read_exact(&mut here[..length]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        if here[..length] != there[..length] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &str = "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-linux-6.12/bzImage";

    #[test]
    fn copies_are_found_by_hash_and_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-linux-6.12-bzImage",
            "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-linux-6.12-bzImage.efi",
            "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-linux-6.12-dtbs",
            "00000000000000000000000000000000-linux-6.12-bzImage",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(copies_in(folder.path(), Path::new(KERNEL)).len(), 2);
    }

    #[test]
    fn a_truncated_copy_is_damaged_and_one_with_secrets_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let original = file("original", "kernel");
        assert!(begins_with(&file("same", "kernel"), &original).unwrap());
        assert!(begins_with(&file("more", "kernel+secrets"), &original).unwrap());
        assert!(!begins_with(&file("less", "kern"), &original).unwrap());
        assert!(!begins_with(&file("other", "colonel"), &original).unwrap());
    }
}
