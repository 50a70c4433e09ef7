//! The machine's state: what runs, what boots, and the present boot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use deploy_wire::{
    baseline::{self, Identity},
    loader::{EXTLINUX, GRUB, LoaderFiles},
    outcome::BootDefault,
    record::{Boot, ProfileLink, Record},
    store_path::StorePath,
};

use crate::{
    machine::systemd_boot,
    storage::paths::{PROFILE, RUNNING},
    tools::pid1,
};

/// The running system, from `/run/current-system`.
pub fn running() -> Option<StorePath> {
    link(RUNNING)
}

/// The system that `/etc` belongs to: the target of `/etc/static`.
pub fn etc() -> Option<String> {
    fs::canonicalize("/etc/static").ok().map(|path| path.to_string_lossy().into_owned())
}

fn link(path: &str) -> Option<StorePath> {
    let target = fs::read_link(path).ok()?;
    StorePath::parse(&target.to_string_lossy()).ok()
}

/// The boot default, from the boot loader's files.
pub fn boots() -> BootDefault {
    loader_files().boot_default()
}

/// The machine's boot loader files.
pub fn loader_files() -> LoaderFiles {
    let read = |path| fs::read_to_string(path).ok();
    LoaderFiles { grub: read(GRUB), extlinux: read(EXTLINUX), systemd_boot: systemd_boot::files() }
}

/// The system profile: `system -> system-42-link -> /nix/store/…`.
pub fn profile() -> ProfileLink {
    let Ok(generation) = fs::read_link(PROFILE) else { return ProfileLink::default() };
    let name = generation.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let number = generation_number(&name);
    let folder = Path::new(PROFILE).parent().unwrap_or(Path::new("/"));
    ProfileLink { generation: number, system: link(&folder.join(generation).to_string_lossy()) }
}

/// The generation of the system profile that holds a system. If several do, the present one is
/// preferred, else the highest.
pub fn generation_of(system: &StorePath) -> Option<u64> {
    let now = profile();
    if now.system.as_ref() == Some(system) {
        return now.generation;
    }
    let folder = Path::new(PROFILE).parent()?;
    let links = fs::read_dir(folder).ok()?.flatten();
    links
        .filter(|entry| link(&entry.path().to_string_lossy()).as_ref() == Some(system))
        .filter_map(|entry| generation_number(&entry.file_name().to_string_lossy()))
        .max()
}

/// Parses 42 from `system-42-link`.
pub fn generation_number(name: &str) -> Option<u64> {
    name.strip_prefix("system-")?.strip_suffix("-link")?.parse().ok()
}

/// The machine's identity.
pub fn identity() -> Identity {
    let machine_id = fs::read_to_string("/etc/machine-id").unwrap_or_default().trim().to_owned();
    Identity { machine_id, host_keys: host_keys(Path::new("/etc/ssh")) }
}

/// The public keys of the host key files that sshd's settings name, and of those in `folder`.
fn host_keys(folder: &Path) -> Vec<String> {
    let settings = fs::read_to_string(folder.join("sshd_config")).unwrap_or_default();
    let named = settings.lines().filter_map(|line| {
        let (word, key) = line.trim().split_once(char::is_whitespace)?;
        word.eq_ignore_ascii_case("HostKey").then(|| PathBuf::from(format!("{}.pub", key.trim())))
    });
    let own = fs::read_dir(folder).into_iter().flatten().flatten();
    let own = own.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ssh_host_") && name.ends_with("_key.pub")
    });
    let texts: Vec<String> =
        named.chain(own).filter_map(|path| fs::read_to_string(path).ok()).collect();
    baseline::host_keys(&texts.join("\n"))
}

pub fn boot() -> Result<Boot> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    // systemd before 254 has no soft-reboot.
    let soft_reboots = pid1::number("SoftRebootsCount")?.unwrap_or_default();
    Ok(Boot { id, soft_reboots })
}

pub fn is_running(system: &StorePath) -> bool {
    running().as_ref() == Some(system)
}

/// Whether another tool moved the system profile: it differs from `stage` and is not the wanted
/// system.
pub fn profile_is_foreign(record: &Record) -> bool {
    let now = profile();
    now != record.profile && now.system.as_ref() != Some(&record.wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_keys_are_found_wherever_sshd_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("persist_ed25519");
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        let settings = format!("# HostKey /nowhere\nPort 22\nhostkey {}\n", kept.display());
        write(&folder.path().join("sshd_config"), &settings);
        write(&kept.with_extension("pub"), "ssh-ed25519 A root@x\n");
        write(&folder.path().join("ssh_host_rsa_key.pub"), "ssh-rsa B root@x\n");
        write(&folder.path().join("ssh_host_rsa_key"), "private of it\n");
        write(&folder.path().join("other.pub"), "ssh-rsa C\n");
        assert_eq!(host_keys(folder.path()), ["ssh-ed25519 A", "ssh-rsa B"]);
    }
}
