//! A folder that is on no disk, for text that must not come on one.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rustix::process::getuid;
use tempfile::TempDir;

use super::{
    private,
    process::{self, Invocation},
};

/// A private folder in memory. It goes away by [`Self::remove`].
pub struct MemoryFolder {
    folder: TempDir,
    /// The device of a disk that was made for it, as macOS has no file system in memory.
    device: Option<String>,
}

/// 512 bytes each: 64 MiB, of which only what is written to is taken.
const SECTORS: u32 = 131_072;

/// What `stat` calls file systems in memory. The first may be swapped out.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

impl MemoryFolder {
    /// Makes one; `None` where this computer has no place in memory.
    pub async fn make() -> io::Result<Option<Self>> {
        for base in places() {
            if is_in_memory(&base).await
                && let Ok(folder) = private::make_in(&base)
            {
                return Ok(Some(Self { folder, device: None }));
            }
        }
        if process::find("hdid", &["/usr/bin".into()]).is_none() {
            return Ok(None);
        }
        Self::on_a_new_disk().await.map(Some)
    }

    /// Makes one on a disk, for those who say that they want that.
    pub fn on_disk() -> io::Result<Self> {
        Ok(Self { folder: private::make_in(&std::env::temp_dir())?, device: None })
    }

    /// As `pass` does it on macOS: a disk in memory, mounted where nobody else can look.
    async fn on_a_new_disk() -> io::Result<Self> {
        let folder = private::make_in(Path::new("/tmp"))?;
        let size = format!("ram://{SECTORS}");
        let attached = run("hdid", &["-drivekey", "system-image=yes", "-nomount", &size]).await?;
        let device = attached.split_whitespace().next().unwrap_or_default().to_owned();
        let made = Self { folder, device: Some(device.clone()) };
        let mounted = async {
            run("newfs_hfs", &["-M", "700", &device]).await?;
            let at = made.path().display().to_string();
            run("mount", &["-t", "hfs", "-o", "noatime", "-o", "nobrowse", &device, &at]).await
        };
        match mounted.await {
            Ok(_) => Ok(made),
            Err(error) => {
                made.remove().await?;
                Err(error)
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it with all that is in it.
    pub async fn remove(self) -> io::Result<()> {
        if let Some(device) = &self.device {
            // The disk may not be mounted.
            let _ = run("umount", &[&self.path().display().to_string()]).await;
            run("diskutil", &["quiet", "eject", device]).await?;
        }
        self.folder.close()
    }

    /// Leaves it where it is.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

/// Folders that are in memory on most computers.
fn places() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let own = PathBuf::from(format!("/run/user/{}", getuid().as_raw()));
    let others = ["/dev/shm", "/tmp"].map(PathBuf::from);
    let all = runtime.into_iter().chain([own]).chain(others);
    all.filter(|place| place.is_absolute() && is_folder(place)).collect()
}

fn is_folder(place: &Path) -> bool {
    place.metadata().is_ok_and(|is| is.is_dir() && is.permissions().mode() & 0o200 != 0)
}

/// Whether GNU's or busybox's `stat` says so. That of macOS does not know the question.
async fn is_in_memory(place: &Path) -> bool {
    let asked = Invocation::new("stat").args(["-f", "-c", "%T"]).arg(place).output().await;
    asked.is_ok_and(|said| IN_MEMORY.contains(&String::from_utf8_lossy(&said).trim()))
}

async fn run(program: &str, args: &[&str]) -> io::Result<String> {
    let said = Invocation::new(program).args(args.iter().copied()).output().await;
    let said =
        said.map_err(|error| io::Error::other(format!("{error}: {}", error.stderr().trim())))?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}
