//! The host's start before systemd: its devices, identity and boot loader. This runs as process 1
//! in the host's namespaces and becomes systemd in the end.

use std::convert::Infallible;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive,
    mount_change, mount_remount, unmount,
};
use rustix::process::pivot_root;

use super::identity;

/// The PATH of systemd and the boot step.
const PATH: &str = "/usr/lib/lab/sbin:/usr/lib/lab/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Reads the boot loader's files, activates the default system and sets /run/booted-system and
/// /run/current-system. If it fails, the host does not boot.
pub(crate) const BOOT_STEP: &str = include_str!("../../../systems/boot-step");

/// The device nodes that a host shares with this machine; none of them has a state.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// The device belongs to the lab; the host only has its file system.
const BOOT_MOUNT: &str = "[Mount]\nWhat=/dev/lab-boot\nWhere=/boot\nOptions=bind\n";

/// Writes this process's id, as the lab sees it, to `pid` in the host's folder. The lab enters the
/// namespaces by it.
pub(crate) fn become_process_one(folder: &Path) -> Result<Infallible> {
    let own = fs::read_link("/proc/self").context("no /proc")?;
    fs::write(folder.join("pid"), own.as_os_str().as_encoded_bytes())?;
    let name = fs::read_to_string(folder.join("name"))?;
    let root = folder.join("root");
    mount_bind(&root, &root)?;
    mount_all(&root, &folder.join("boot"))?;
    std::env::set_current_dir(&root)?;
    // The new root is stacked on the old one, which is then detached.
    pivot_root(".", ".").context("pivot_root")?;
    unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")?;
    identity::take(name.trim())?;
    wrappers()?;
    boot_step()?;
    let error = Command::new("/lib/systemd/systemd")
        .arg("--log-target=journal")
        .env_clear()
        .env("container", "lab")
        .env("PATH", PATH)
        .exec();
    Err(error).context("cannot start systemd")
}

fn mount_all(root: &Path, boot: &Path) -> Result<()> {
    let at = |path: &str| root.join(path);
    fs::create_dir_all(at("boot"))?;
    mount_bind(boot, at("boot"))?;
    mount_proc(&at("proc"))?;
    tmpfs(&at("sys"), "mode=755")?;
    fs::create_dir_all(at("sys/fs/cgroup"))?;
    mount("cgroup2", at("sys/fs/cgroup"), "cgroup2", MountFlags::empty(), None)
        .context("cgroup2")?;
    tmpfs(&at("run"), "mode=755")?;
    tmpfs(&at("tmp"), "mode=1777")?;
    mount_dev(&at("dev"))?;
    keep_boot(boot, root)
}

/// Mounts /boot again after a soft-reboot, as /etc/fstab does on a real machine. systemd does not
/// unmount what is below /dev.
fn keep_boot(boot: &Path, root: &Path) -> Result<()> {
    let device = root.join("dev/lab-boot");
    fs::create_dir(&device)?;
    mount_bind(boot, &device)?;
    let units = root.join("run/systemd/system");
    let wants = units.join("local-fs.target.wants");
    fs::create_dir_all(&wants)?;
    fs::write(units.join("boot.mount"), BOOT_MOUNT)?;
    symlink("../boot.mount", wants.join("boot.mount")).context("boot.mount")
}

fn mount_proc(proc: &Path) -> Result<()> {
    mount("proc", proc, "proc", MountFlags::empty(), None).context("proc")?;
    // Both files act on the real machine, not on the host: `b` in the first one resets it.
    let trigger = proc.join("sysrq-trigger");
    if trigger.exists() {
        mount_bind("/dev/null", trigger)?;
    }
    let sys = proc.join("sys");
    mount_bind_recursive(&sys, &sys)?;
    mount_change(&sys, MountPropagationFlags::PRIVATE)?;
    mount_bind(sys.join("net"), sys.join("net"))?;
    mount_remount(&sys, MountFlags::BIND | MountFlags::RDONLY, "").context("read-only /proc/sys")
}

fn mount_dev(dev: &Path) -> Result<()> {
    tmpfs(dev, "mode=755")?;
    for device in DEVICES {
        File::create(dev.join(device))?;
        mount_bind(Path::new("/dev").join(device), dev.join(device))?;
    }
    fs::create_dir(dev.join("shm"))?;
    tmpfs(&dev.join("shm"), "mode=1777")?;
    fs::create_dir(dev.join("pts"))?;
    let options = c"newinstance,ptmxmode=0666,mode=620";
    mount("devpts", dev.join("pts"), "devpts", MountFlags::empty(), options).context("devpts")?;
    let links = [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ];
    for (link, target) in links {
        symlink(target, dev.join(link))?;
    }
    Ok(())
}

fn tmpfs(point: &Path, options: &str) -> Result<()> {
    let options = std::ffi::CString::new(options)?;
    mount("tmpfs", point, "tmpfs", MountFlags::empty(), options.as_c_str())
        .with_context(|| format!("tmpfs on {}", point.display()))
}

/// Creates NixOS's folder of setuid programs.
fn wrappers() -> Result<()> {
    fs::create_dir_all("/run/wrappers/bin")?;
    for program in ["su", "sudo"] {
        symlink(format!("/usr/lib/lab/bin/{program}"), format!("/run/wrappers/bin/{program}"))?;
    }
    Ok(())
}

fn boot_step() -> Result<()> {
    let script = "/run/lab-boot-step";
    fs::write(script, BOOT_STEP)?;
    let status = Command::new("/bin/sh")
        .arg(script)
        .env_clear()
        .env("container", "lab")
        .env("PATH", PATH)
        .stdin(Stdio::null())
        .status()
        .context("cannot start the boot step")?;
    fs::remove_file(script)?;
    if !status.success() {
        bail!("this host does not boot: its boot step failed ({status})");
    }
    Ok(())
}
