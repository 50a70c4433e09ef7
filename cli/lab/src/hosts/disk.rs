//! A host's disks: an ext4 image on a loop device, for writes over the shared root, and a small
//! image for /boot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::mount::{UnmountFlags, unmount};

use crate::hosts::process::{run, run_words};

/// The size of a host's disks. The images are sparse, so unused space costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct DiskSize {
    /// The disk under /, in MiB.
    pub disk_mib: u32,
    /// The disk under /boot, in MiB.
    pub boot_mib: u32,
}

impl Default for DiskSize {
    fn default() -> Self {
        Self { disk_mib: 2048, boot_mib: 32 }
    }
}

/// The disks of one host, in the host's folder.
#[derive(Debug)]
pub(crate) struct Disks {
    folder: PathBuf,
}

/// Which writes the disks contain after the host went off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Off {
    /// All writes, as after an orderly shutdown.
    Orderly,
    /// Only writes that were synced or that the kernel had already written out.
    PowerCut,
}

impl Disks {
    pub fn create(folder: &Path, size: DiskSize) -> Result<Self> {
        let disks = Self::at(folder);
        for (image, mib) in [("disk.img", size.disk_mib), ("boot.img", size.boot_mib)] {
            let image = folder.join(image);
            fs::File::create(&image)?.set_len(u64::from(mib) << 20)?;
            run(Command::new("mke2fs").args(["-q", "-F", "-t", "ext4", "-m", "0"]).arg(&image))?;
        }
        Ok(disks)
    }

    /// Copies the images that [`Disks::save`] wrote to `saved`, and grows the disk to `size`.
    pub fn restore(folder: &Path, saved: &Path, size: DiskSize) -> Result<Self> {
        for image in ["disk.img", "boot.img"] {
            copy_sparse(&saved.join(image), &folder.join(image))?;
        }
        let disk = folder.join("disk.img");
        let wanted = u64::from(size.disk_mib) << 20;
        if fs::metadata(&disk)?.len() < wanted {
            fs::File::options().write(true).open(&disk)?.set_len(wanted)?;
            // Status 1 means that the journal was replayed, as after every end of a host.
            let script = "e2fsck -f -p \"$1\" || [ $? -le 1 ]; resize2fs \"$1\"";
            run(Command::new("sh").args(["-euc", script, "sh"]).arg(&disk))?;
        }
        Ok(Self::at(folder))
    }

    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Copies the images of a host that is off to `target`.
    pub fn save(&self, target: &Path) -> Result<()> {
        fs::create_dir_all(target)?;
        for image in ["disk.img", "boot.img"] {
            copy_sparse(&self.folder.join(image), &target.join(image))?;
        }
        Ok(())
    }

    /// Mounts the disks. `root` is then the host's root.
    pub fn mount(&self, lower: &Path) -> Result<()> {
        for (image, point) in [("disk.img", "disk"), ("boot.img", "boot")] {
            let point = self.folder.join(point);
            fs::create_dir_all(&point)?;
            // auto_da_alloc would hide a missing fsync before a rename: scenario
            // `a-rename-without-fsync-loses-the-contents`.
            run(Command::new("mount")
                .args(["-o", "loop,noauto_da_alloc,noinit_itable"])
                .arg(self.folder.join(image))
                .arg(point))?;
        }
        for folder in ["disk/upper", "disk/work", "root"] {
            fs::create_dir_all(self.folder.join(folder))?;
        }
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.display(),
            self.folder.join("disk/upper").display(),
            self.folder.join("disk/work").display()
        );
        run(Command::new("mount")
            .args(["-t", "overlay", "overlay", "-o", &options])
            .arg(self.root()))?;
        Ok(())
    }

    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Detaches the disks of a host without processes.
    ///
    /// The next boot uses copies of the images. They are made before the images are unmounted,
    /// because unmounting writes out what a power cut must lose (scenario
    /// `power-cut-loses-what-was-not-synced`). After an orderly end the kernel may keep the old
    /// mount for a moment, which does not disturb a copy.
    pub fn unmount(&self, off: Off) -> Result<()> {
        for (image, point) in [("disk.img", "disk"), ("boot.img", "boot")] {
            if off == Off::Orderly {
                run(Command::new("sync").arg("--file-system").arg(self.folder.join(point)))?;
            }
            let image = self.folder.join(image);
            copy_sparse(&image, &image.with_extension("next"))?;
        }
        for point in ["root", "disk", "boot"] {
            let point = self.folder.join(point);
            unmount(&point, UnmountFlags::empty())
                .or_else(|_| unmount(&point, UnmountFlags::DETACH))
                .with_context(|| format!("cannot unmount {}", point.display()))?;
        }
        for image in ["disk.img", "boot.img"] {
            let image = self.folder.join(image);
            fs::rename(image.with_extension("next"), image)?;
        }
        Ok(())
    }
}

fn copy_sparse(from: &Path, to: &Path) -> Result<()> {
    run_words(&[
        "cp",
        "--sparse=always",
        "--reflink=auto",
        from.to_str().context("an image's path is not UTF-8")?,
        to.to_str().context("an image's path is not UTF-8")?,
    ])
    .map(drop)
}
