//! What the machine is: what runs, what boots, which boot this is.

use std::{fs, path::Path};

use anyhow::Result;
use deploy_wire::{
    loader::{EXTLINUX, GRUB, LoaderFiles},
    outcome::BootDefault,
    record::{Boot, ProfileLink, Record},
    store_path::StorePath,
};

use crate::{
    paths::{PROFILE, RUNNING},
    systemd_boot,
    tools::pid1,
    transition::Runs,
};

/// What runs, from `/run/current-system`.
pub fn running() -> Option<StorePath> {
    link(RUNNING)
}

/// Which system `/etc` belongs to: the target of `/etc/static`.
pub fn etc() -> Option<String> {
    fs::canonicalize("/etc/static").ok().map(|path| path.to_string_lossy().into_owned())
}

fn link(path: &str) -> Option<StorePath> {
    let target = fs::read_link(path).ok()?;
    StorePath::parse(&target.to_string_lossy()).ok()
}

/// What a reboot starts, from the boot loader's files.
pub fn boots() -> BootDefault {
    let read = |path| fs::read_to_string(path).ok();
    LoaderFiles { grub: read(GRUB), extlinux: read(EXTLINUX), systemd_boot: systemd_boot::files() }
        .boot_default()
}

/// The system profile: `system -> system-42-link -> /nix/store/…`.
pub fn profile() -> ProfileLink {
    let Ok(generation) = fs::read_link(PROFILE) else { return ProfileLink::default() };
    let name = generation.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let number = generation_number(&name);
    let folder = Path::new(PROFILE).parent().unwrap_or(Path::new("/"));
    ProfileLink { generation: number, system: link(&folder.join(generation).to_string_lossy()) }
}

/// The generation of the system profile that holds a system: the present one if
/// it does, else the highest.
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

/// 42 of `system-42-link`.
pub fn generation_number(name: &str) -> Option<u64> {
    name.strip_prefix("system-")?.strip_suffix("-link")?.parse().ok()
}

/// `/etc/machine-id`; empty where there is none.
pub fn machine_id() -> String {
    fs::read_to_string("/etc/machine-id").unwrap_or_default().trim().to_owned()
}

/// The present boot.
pub fn boot() -> Result<Boot> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    // systemd before 254 has no soft-reboot.
    let soft_reboots = pid1::number("SoftRebootsCount")?.unwrap_or_default();
    Ok(Boot { id, soft_reboots })
}

/// Whether a system is the running one.
pub fn runs(system: &StorePath) -> bool {
    running().as_ref() == Some(system)
}

/// What the machine runs, seen from an attempt. Just started, it may also run
/// what was the boot default before, which is as good as what ran. An attempt
/// may want what runs already, to make it the boot default: that counts as
/// wanted.
pub fn runs_for(record: &Record, started: Started) -> Runs {
    let Some(running) = running() else { return Runs::Other };
    if running == record.wanted {
        return Runs::Wanted;
    }
    let before = match started {
        Started::Anew => record.boots.known() == Some(&running),
        Started::Before => false,
    };
    if before || running == record.ran { Runs::Before } else { Runs::Other }
}

/// Whether the machine was started since the attempt's last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It was.
    Anew,
    /// It is still the same boot.
    Before,
}

/// Whether somebody else moved the profile: it is neither as it was at `stage`
/// nor the wanted system.
pub fn profile_is_foreign(record: &Record) -> bool {
    let now = profile();
    now != record.profile && now.system.as_ref() != Some(&record.wanted)
}
