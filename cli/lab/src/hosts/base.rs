//! The root file system below every host's overlay: Debian trixie with systemd, sshd and Nix. It is
//! created once and never changed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::hosts::{cache, process};

const SUITE: &str = "trixie";
const PACKAGES: &str = include_str!("base/packages.txt");
const CONFIGURE: &str = include_str!("base/configure.sh");
const SERVICES: &str = include_str!("base/services.sh");
const NIXOS_PLACES: &str = include_str!("base/nixos-places.sh");
const OTHER_NIX: &str = include_str!("base/other-nix.sh");
const VM: &str = include_str!("base/vm.sh");
/// The initrd's program of the lab's virtual machines.
const VM_STAGE_1: &str = include_str!("../../vm/stage-1");

/// The password that `askadmin`'s sudo asks for on every host.
pub const ASKADMIN_PASSWORD: &str = "tulip grows in may";

/// Runs the script `$2` inside the root `$1`. The mounts are in a separate namespace, so that every
/// way of ending removes them.
const IN_ROOT: &str = "mount -t proc proc \"$1/proc\" && mount --rbind /dev \"$1/dev\" && \
                       exec chroot \"$1\" /bin/sh -c \"$2\"";

/// The marker of a complete root. It is written last.
const MARKER: &str = "etc/deploy-lab-root";

/// The programs of a host, and their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// /usr/bin, /bin and so on, with the loader in /lib64.
    Debian,
    /// As `Debian`, with the programs that the flake's services run (`base/services.sh`).
    Services,
    /// As `Debian`, with the Nix of other releases in /opt/nix-SUITE (`base/other-nix.sh`).
    OtherNix,
    /// As `Debian`, with qemu and what virtual machines are made of in /opt/vm (`base/vm.sh`).
    Vm,
    /// /run/current-system/sw/bin and /run/wrappers/bin. The usual places have only what NixOS has
    /// there, and the dynamic loader is missing, so that code with a hard-coded Debian path fails.
    Nixos,
}

/// The finished root.
#[derive(Clone, Debug)]
pub struct BaseRoot {
    path: PathBuf,
    places: Places,
}

impl BaseRoot {
    /// Returns the root. A missing version is created first (about 90 s, needs Debian's mirror).
    ///
    /// # Errors
    /// When debootstrap or the set-up inside fails; the log's path is in the error.
    pub fn ensure() -> Result<Self> {
        Self::ensure_with(Places::Debian)
    }

    /// The same root with more programs, or with its programs in other places (10 to 30 s more,
    /// once).
    ///
    /// # Errors
    /// As [`BaseRoot::ensure`].
    pub fn ensure_with(places: Places) -> Result<Self> {
        let layer =
            |kind, script| format!("root-{kind}-{}", cache::version(&[&Self::version(), script]));
        let name = match places {
            Places::Debian => format!("root-{}", Self::version()),
            Places::Services => layer("services", SERVICES),
            Places::OtherNix => layer("other-nix", OTHER_NIX),
            Places::Vm => layer("vm", &[VM, VM_STAGE_1].concat()),
            Places::Nixos => layer("nixos", NIXOS_PLACES),
        };
        let base = Self { path: cache::folder()?.join(&name), places };
        if base.is_whole() {
            return Ok(base);
        }
        if places != Places::Debian {
            Self::ensure()?;
        }
        let _making = cache::lock("root")?;
        if !base.is_whole() {
            base.make()?;
        }
        Ok(base)
    }

    /// A version that changes with everything that the root is made of.
    pub fn version() -> String {
        cache::version(&[SUITE, PACKAGES, CONFIGURE, ASKADMIN_PASSWORD])
    }

    /// The root's folder. It must not be written to, because running hosts share it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn is_whole(&self) -> bool {
        [MARKER, "lib/systemd/systemd"].iter().all(|file| self.path.join(file).exists())
    }

    /// Creates the root in a temporary folder and renames it when it is complete, so that an
    /// interrupted run leaves no incomplete root.
    fn make(&self) -> Result<()> {
        let begun = Instant::now();
        let making = self.path.with_extension("making");
        let log = self.path.with_extension("log");
        let how = match self.places {
            Places::Debian => "with debootstrap (about 90 s)",
            Places::Services => "with the services' programs (about 30 s)",
            Places::OtherNix => "with other releases' Nix (about 30 s)",
            Places::Vm => "with qemu (about 60 s)",
            Places::Nixos => "with NixOS's places (about 20 s)",
        };
        eprintln!("lab: making the hosts' root {how}, log {}", log.display());
        if making.exists() {
            fs::remove_dir_all(&making).context("cannot remove an unfinished root")?;
        }
        let made = match self.places {
            Places::Debian => fill(&making, &log),
            Places::Services => add_programs(&making, SERVICES, &log),
            Places::OtherNix => add_programs(&making, OTHER_NIX, &log),
            Places::Vm => add_programs(&making, VM, &log),
            Places::Nixos => copy_base(&making).and_then(|()| in_root(&making, NIXOS_PLACES, &log)),
        };
        made.and_then(|()| finish(&making))
            .with_context(|| format!("the hosts' root was not made; see {}", log.display()))?;
        if self.path.exists() {
            fs::remove_dir_all(&self.path).context("cannot remove a damaged root")?;
        }
        fs::rename(&making, &self.path)?;
        eprintln!("lab: the root is ready after {} s", begun.elapsed().as_secs());
        Ok(())
    }
}

fn fill(root: &Path, log: &Path) -> Result<()> {
    let packages = PACKAGES.split_whitespace().collect::<Vec<_>>().join(",");
    logged(
        log,
        Command::new("debootstrap")
            .args(["--variant=minbase", &format!("--include={packages}"), SUITE])
            .arg(root),
    )?;
    copy_mirror_access(root)?;
    in_root(root, CONFIGURE, log)
}

fn add_programs(root: &Path, script: &str, log: &Path) -> Result<()> {
    copy_base(root)?;
    copy_mirror_access(root)?;
    in_root(root, script, log)
}

/// Fills `root` with a copy of the plain root.
fn copy_base(root: &Path) -> Result<()> {
    let base = BaseRoot::ensure()?;
    process::run(
        Command::new("cp")
            .args(["--archive", "--reflink=auto", "--no-target-directory"])
            .args([base.path(), root]),
    )?;
    fs::remove_file(root.join(MARKER)).map_err(Into::into)
}

fn in_root(root: &Path, script: &str, log: &Path) -> Result<()> {
    logged(
        log,
        Command::new("unshare")
            .args(["--mount", "--propagation", "private", "/bin/sh", "-c", IN_ROOT, "sh"])
            .arg(root)
            .arg(script)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("ASKADMIN_PASSWORD", ASKADMIN_PASSWORD)
            .env("VM_STAGE_1", VM_STAGE_1),
    )
}

fn finish(root: &Path) -> Result<()> {
    fs::write(root.join(MARKER), BaseRoot::version())?;
    process::run(Command::new("sync").arg("--file-system").arg(root)).map(drop)
}

/// Copies the settings with which this machine reaches Debian's mirror.
fn copy_mirror_access(root: &Path) -> Result<()> {
    fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf"))?;
    for folder in ["/etc/apt/apt.conf.d", "/usr/local/share/ca-certificates", "/etc/ssl/certs"] {
        if Path::new(folder).exists() {
            let target = root.join(&folder[1..]);
            fs::create_dir_all(&target)?;
            process::run(
                Command::new("cp")
                    .args(["--recursive", "--no-target-directory", folder])
                    .arg(target),
            )?;
        }
    }
    Ok(())
}

fn logged(log: &Path, command: &mut Command) -> Result<()> {
    let out = File::options().create(true).append(true).open(log)?;
    let err = out.try_clone()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} failed ({status})", command.get_program().display());
    }
    Ok(())
}
