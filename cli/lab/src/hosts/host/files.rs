//! Direct access to a host's files from the lab, without running a command on the host.

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Host;
use crate::hosts::wait;

impl Host {
    /// The host's root as a path of the lab. /run, /tmp, /dev, /proc, /sys and /boot are empty
    /// there: use a command, or [`Host::boot_folder`].
    pub fn root(&self) -> PathBuf {
        self.parts.disks.root()
    }

    /// The host's /boot as a path of the lab.
    pub fn boot_folder(&self) -> PathBuf {
        self.parts.folder.join("boot")
    }

    /// Writes a file on the host and creates its folders. The file is synced when this returns.
    /// `path` begins with `/` and is not below one of the folders listed at [`Host::root`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>, mode: u32) -> Result<()> {
        let inside = self.root().join(path.trim_start_matches('/'));
        let what = || format!("cannot write {path} on {}", self.name());
        let parent = inside.parent().with_context(what)?;
        fs::create_dir_all(parent).with_context(what)?;
        fs::write(&inside, contents).with_context(what)?;
        fs::set_permissions(&inside, fs::Permissions::from_mode(mode)).with_context(what)?;
        fs::File::open(&inside)?.sync_all().with_context(what)?;
        fs::File::open(parent)?.sync_all().with_context(what)
    }

    /// Reads a file on the host.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root().join(path.trim_start_matches('/')))
            .with_context(|| format!("cannot read {path} on {}", self.name()))
    }

    /// Syncs the host's disk, and only that. `sync` on the host would sync the disks of every lab,
    /// and a power cut there would lose nothing.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn sync(&self) -> Result<()> {
        for folder in ["disk", "boot"] {
            rustix::fs::syncfs(fs::File::open(self.parts.folder.join(folder))?)?;
        }
        Ok(())
    }

    /// Fills the file system of `folder` up to `left` free bytes, with the file `folder/lab-fill`.
    ///
    /// # Errors
    /// When the host has not the tools.
    pub fn fill(&self, folder: &str, left: u64) -> Result<()> {
        let script = "free=$(($(stat -f -c '%a*%S' \"$1\"))); \
                      [ \"$free\" -le \"$2\" ] || fallocate -l $((free - $2)) \"$1/lab-fill\"";
        let left = left.to_string();
        self.command(["sh", "-euc", script, "sh", folder, &left]).run()?.success().map(drop)
    }

    /// Waits until the host's sshd sends its greeting.
    ///
    /// # Errors
    /// When it does not within `deadline`.
    pub fn wait_for_ssh(&self, deadline: Duration) -> Result<()> {
        let address = SocketAddr::from((self.address(), 22));
        wait::until(&format!("sshd of {} answers", self.name()), deadline, || {
            let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1))
            else {
                return Ok(false);
            };
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            let mut greeting = [0; 4];
            Ok(stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-")
        })
    }

    /// The journal of this boot as text; `words` are additional arguments for `journalctl`.
    ///
    /// # Errors
    /// When the host is off.
    pub fn journal(&self, words: &[&str]) -> Result<String> {
        let command = ["journalctl", "--no-pager", "--boot", "--output=short-monotonic"];
        Ok(self.command(command.iter().chain(words).copied()).run()?.success()?.stdout)
    }
}
