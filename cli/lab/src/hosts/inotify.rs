//! The kernel's limit for inotify instances. The systemd of a host and its services take
//! about eight, and root has 128 of them for all processes of the machine: with sixteen hosts
//! on, the next one does not boot.

use std::fs;

use anyhow::{Context, Result};

const LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";
const NEEDED: u32 = 1024;

/// Raises the limit where it is lower, until the machine boots again, and says so.
///
/// # Errors
/// When the kernel does not let this process do so.
pub fn allow_many() -> Result<()> {
    let now = fs::read_to_string(LIMIT).with_context(|| LIMIT.to_owned())?;
    let now: u32 = now.trim().parse().with_context(|| format!("{LIMIT}: {now}"))?;
    if now < NEEDED {
        fs::write(LIMIT, NEEDED.to_string()).with_context(|| format!("cannot raise {LIMIT}"))?;
        println!("raised until the next boot, for many hosts: {LIMIT} from {now} to {NEEDED}");
    }
    Ok(())
}
