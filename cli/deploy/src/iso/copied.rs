//! An image as a file beside others: copied whole, or not there.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::fs::statvfs;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{image::BootImage, reserved::Filled};
use crate::error::{Failure, Result};

/// How much is copied at once.
const PIECE: usize = 1 << 20;

/// An image that was put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedImage {
    /// Its file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Refuses to put an image where something else is. An earlier image is replaced. This is asked
/// before the build.
pub fn refuse_in_the_way(out: &Path) -> Result<()> {
    let refused = || Failure::unchanged(format!("no image is put at {}", out.display()));
    let folder = folder(out);
    if !folder.is_dir() {
        return Err(refused().because(format!("there is no folder {}", folder.display())));
    }
    let Ok(meta) = fs::metadata(out) else { return Ok(()) };
    if meta.is_dir() {
        return Err(refused()
            .because("it is a folder")
            .hint(Some("name the file: --out FOLDER/NAME.iso".into())));
    }
    if meta.file_type().is_block_device() || meta.file_type().is_char_device() {
        return Err(refused()
            .because("it is a device")
            .hint(Some(format!("--flash {} overwrites a disk", out.display()))));
    }
    match BootImage::open(out) {
        Ok(_) => Ok(()),
        Err(_) => Err(refused()
            .because("another file is there, which is no image")
            .hint(Some("--out names another place".into()))),
    }
}

/// Copies an image, with its reserved file filled. Until it is whole it has another name, and goes away
/// with this process unless that is killed; `None` if `stop` was set meanwhile. Only its owner can read
/// an image with a filled file, which is a secret.
pub fn copy(
    image: &BootImage,
    out: &Path,
    filled: Option<&Filled>,
    stop: &AtomicBool,
) -> Result<Option<CopiedImage>> {
    let failed = |error: io::Error| {
        let what = format!("{} cannot be copied", image.path.display());
        Failure::unchanged(what).because(format!("{}: {error}", out.display()))
    };
    refuse_without_room(image.bytes, out)?;
    let mut target = NamedTempFile::with_prefix_in(".deploy-iso-", folder(out)).map_err(failed)?;
    let mut source = File::open(&image.path).map_err(failed)?;
    let (mut piece, mut bytes, mut hash) = (vec![0; PIECE], 0_u64, Sha256::new());
    loop {
        let count = source.read(&mut piece).map_err(failed)?;
        if count == 0 {
            break;
        }
        if let Some(filled) = filled {
            filled.fill(&mut piece[..count], bytes);
        }
        target.write_all(&piece[..count]).map_err(failed)?;
        hash.update(&piece[..count]);
        bytes += count as u64;
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
    }
    let mode = fs::Permissions::from_mode(if filled.is_some() { 0o600 } else { 0o644 });
    target.as_file().set_permissions(mode).map_err(failed)?;
    target.as_file().sync_all().map_err(failed)?;
    target.persist(out).map_err(|error| failed(error.error))?;
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(CopiedImage { path: out.to_owned(), bytes, sha256 }))
}

fn refuse_without_room(bytes: u64, out: &Path) -> Result<()> {
    let folder = folder(out);
    // Where the file system does not say, writing will.
    let Ok(disk) = statvfs(folder) else { return Ok(()) };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= bytes {
        return Ok(());
    }
    Err(Failure::unchanged(format!("there is no room for {}", out.display())).because(format!(
        "the image has {} MiB, and {} has {} MiB free",
        bytes >> 20,
        folder.display(),
        free >> 20
    )))
}

fn folder(out: &Path) -> &Path {
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(folder: &Path) -> BootImage {
        let mut bytes = vec![7; 3 << 20];
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
        fs::write(folder.join("built.iso"), bytes).unwrap();
        BootImage::open(&folder.join("built.iso")).unwrap()
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn an_image_is_copied_whole_with_its_hash_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (image, out) = (image(folder.path()), folder.path().join("installer.iso"));
        let stopped = copy(&image, &out, None, &AtomicBool::new(true)).unwrap();
        assert_eq!((stopped, names(folder.path())), (None, 1));
        let never = AtomicBool::new(false);
        let copied = copy(&image, &out, None, &never).unwrap().unwrap();
        assert_eq!((copied.bytes, names(folder.path())), (3 << 20, 2));
        assert!(fs::read(&out).unwrap() == fs::read(&image.path).unwrap());
        let hash = Sha256::digest(fs::read(&out).unwrap());
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(copied.sha256, hash);
        // An earlier image is replaced.
        refuse_in_the_way(&out).unwrap();
        copy(&image, &out, None, &never).unwrap();
        assert_eq!(names(folder.path()), 2);
    }

    #[test]
    fn what_is_no_image_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |out: &Path| refuse_in_the_way(out).unwrap_err().to_string();
        assert!(refused(folder.path()).contains("it is a folder"));
        assert!(refused(Path::new("/dev/null")).contains("--flash /dev/null"));
        assert!(refused(&folder.path().join("none/a.iso")).contains("there is no folder"));
        let letter = folder.path().join("letter");
        fs::write(&letter, "dear").unwrap();
        assert!(refused(&letter).contains("another file is there"));
        assert_eq!(refuse_in_the_way(&folder.path().join("new.iso")), Ok(()));
        assert_eq!(refuse_in_the_way(Path::new("new.iso")), Ok(()));
    }

    #[test]
    fn an_image_without_room_is_refused_with_both_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("a.iso");
        let refused = refuse_without_room(1 << 60, &out).unwrap_err().to_string();
        assert!(refused.contains("the image has 1099511627776 MiB"), "{refused}");
    }
}
