//! Makes a machine's disk, the image of its first store, and its first boot files.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use rustix::fs::statvfs;

use super::{
    entry::BOOT,
    folder::{self, VmFolder},
    image::VmImage,
    qemu::{DISK, STORE},
};
use crate::{
    error::{Failure, Result},
    tools::process::Invocation,
};

/// The room that is left free on this computer's disk.
const SPARE: u64 = 1 << 30;

/// Refuses to begin where the store's image would fill the disk.
pub fn refuse_without_room(name: &str, place: &Path, store: u64) -> Result<()> {
    let place = place.ancestors().find(|place| place.exists()).unwrap_or(place);
    // Where the file system does not say, writing will.
    let Ok(disk) = statvfs(place) else { return Ok(()) };
    let (free, needed) = (disk.f_bavail * disk.f_frsize, store + SPARE);
    if free >= needed {
        return Ok(());
    }
    Err(Failure::unchanged(format!("there is no room for {name} on this computer"))
        .because(format!(
            "its store is {} MiB, with 1024 MiB to spare, and {} has {} MiB free",
            store >> 20,
            place.display(),
            free >> 20
        ))
        .hint(Some(
            "deploy vm list shows machines and their disks; nix store gc frees space".into(),
        )))
}

/// Makes everything in a folder aside. An interrupted run leaves nothing that counts.
pub async fn make(folder: &VmFolder, image: &VmImage, disk: u32) -> Result<()> {
    let making = folder.making();
    let failed = |what: &str| {
        let what = format!("{what} of {} cannot be made", folder.name());
        move |error: &dyn std::fmt::Display| Failure::unchanged(what.clone()).because(error)
    };
    let prepared = folder::remove(&making).and_then(|()| fs::create_dir(&making));
    prepared.map_err(|error| failed("the folder")(&error))?;
    Invocation::new(&image.qemu_img)
        .args(["create", "-q", "-f", "qcow2", DISK, &format!("{disk}M")])
        .in_folder(&making)
        .output()
        .await
        .map_err(|error| failed("the disk")(&Complete(&error)))?;
    Invocation::new(&image.make_store)
        .arg(STORE)
        .in_folder(&making)
        .output()
        .await
        .map_err(|error| failed("the store's image")(&Complete(&error)))?;
    copy(&image.boot, &making.join(BOOT)).map_err(|error| failed("the boot folder")(&error))
}

/// An error of a program with what it printed.
struct Complete<'e>(&'e crate::tools::process::ProcessError);

impl std::fmt::Display for Complete<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = self.0.stderr().trim();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(8)..].join("\n");
        write!(f, "{}{}{last}", self.0, if last.is_empty() { "" } else { ": " })
    }
}

/// Copies a tree of the store, where everything is read-only.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let (source, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
            fs::set_permissions(&target, Permissions::from_mode(0o644))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_does_not_fit_is_refused_with_both_sizes() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refuse_without_room("frame1-vm", folder.path(), 0).is_ok());
        let place = folder.path().join("not/there/yet");
        let refused = refuse_without_room("frame1-vm", &place, 1 << 60).unwrap_err().to_string();
        assert!(refused.contains("its store is 1099511627776 MiB"), "{refused}");
        assert!(refused.contains("nothing was changed"), "{refused}");
    }

    #[test]
    fn what_was_read_only_can_be_written_in_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir_all(from.join("extlinux")).unwrap();
        fs::write(from.join("extlinux/extlinux.conf"), "x").unwrap();
        let mode = Permissions::from_mode(0o444);
        fs::set_permissions(from.join("extlinux/extlinux.conf"), mode).unwrap();
        let to = folder.path().join("to");
        copy(&from, &to).unwrap();
        let copied = fs::metadata(to.join("extlinux/extlinux.conf")).unwrap();
        assert_eq!(copied.permissions().mode() & 0o777, 0o644);
    }
}
