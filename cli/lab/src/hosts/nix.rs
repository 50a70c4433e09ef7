//! Nix for a machine without Nix: the one of the hosts' root, with its own store in the cache.
//! Folders keep their paths, so that messages name the right files. Nothing is installed.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive};
use rustix::process::{chdir, chroot};

use crate::hosts::base::BaseRoot;
use crate::hosts::{cache, words};

/// A way to start Nix's programs.
#[derive(Clone, Debug)]
pub struct Nix {
    base: BaseRoot,
    folder: PathBuf,
    binds: Vec<PathBuf>,
}

impl Nix {
    /// Nix that runs in `folder` and may write to it.
    ///
    /// # Errors
    /// When the root cannot be made or there is no such folder.
    pub fn new(folder: &Path) -> Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("there is no folder {}", folder.display()))?;
        Ok(Self { base: BaseRoot::ensure()?, folder, binds: Vec::new() })
    }

    /// Makes one more folder visible to Nix, at its own path.
    ///
    /// # Errors
    /// When there is none.
    pub fn bind(mut self, folder: &Path) -> Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("there is no folder {}", folder.display()))?;
        self.binds.push(folder);
        Ok(self)
    }

    /// A command such as `nix build …` or `nix-store --export …`, which the caller starts. The
    /// calling program must call [`super::reexec::dispatch`].
    ///
    /// # Errors
    /// When the cache cannot be reached.
    pub fn command<W: Into<OsString>>(
        &self,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Command> {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private"])
            .arg(std::env::current_exe()?)
            .arg(words::NIX)
            .arg(self.base.path())
            .arg(&self.folder)
            .args(&self.binds)
            .arg("--")
            .args(words.into_iter().map(Into::into));
        Ok(command)
    }
}

/// Executes the command inside the root. `words` are those of [`Nix::command`].
pub(crate) fn become_command(mut words: impl Iterator<Item = OsString>) -> Result<Infallible> {
    let base = PathBuf::from(words.next().context("no root given")?);
    let folder = PathBuf::from(words.next().context("no folder given")?);
    let binds: Vec<PathBuf> =
        words.by_ref().take_while(|word| word != "--").map(PathBuf::from).collect();
    let Some(program) = words.next() else { bail!("no program given") };
    let store = cache::folder()?.join("nix-store");
    fs::create_dir_all(store.join("home"))?;
    let root = stack(&base)?;
    show(&root, Path::new("/nix"), &store)?;
    for folder in binds.iter().chain([&folder]) {
        show(&root, folder, folder)?;
    }
    // Names are resolved as on this machine.
    for file in ["/etc/resolv.conf", "/etc/hosts"] {
        if Path::new(file).exists() {
            let shown = root.join(&file[1..]);
            // A link may point to a file that this root lacks.
            if shown.symlink_metadata().is_ok() {
                fs::remove_file(&shown)?;
            }
            fs::copy(file, shown)?;
        }
    }
    mount("proc", root.join("proc"), "proc", MountFlags::empty(), None)?;
    mount_bind_recursive("/dev", root.join("dev"))?;
    chroot(&root)?;
    chdir(&folder)?;
    let error = Command::new(program)
        .args(words)
        .env_clear()
        .env("HOME", "/nix/home")
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LANG", "C.UTF-8")
        // Root builds without a daemon and without build users.
        .env("NIX_REMOTE", "")
        .env("NIX_CONFIG", "build-users-group =")
        .exec();
    Err(error).context("cannot start a program in the hosts' root")
}

/// The root with a layer in memory above it, so that the root itself is never written to.
fn stack(base: &Path) -> Result<PathBuf> {
    let top = cache::folder()?.join("nix-root");
    fs::create_dir_all(&top)?;
    mount("tmpfs", &top, "tmpfs", MountFlags::empty(), None)?;
    for folder in ["upper", "work", "root"] {
        fs::create_dir(top.join(folder))?;
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        base.display(),
        top.join("upper").display(),
        top.join("work").display()
    );
    let options = std::ffi::CString::new(options)?;
    let root = top.join("root");
    mount("overlay", &root, "overlay", MountFlags::empty(), options.as_c_str())?;
    Ok(root)
}

fn show(root: &Path, path: &Path, folder: &Path) -> Result<()> {
    let point = root.join(path.strip_prefix("/")?);
    fs::create_dir_all(&point)?;
    mount_bind(folder, &point).with_context(|| format!("cannot show {} to Nix", folder.display()))
}
