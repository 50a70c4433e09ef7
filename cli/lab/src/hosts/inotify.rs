//! The kernel's limit of inotify instances. The systemd of a host and its services need about
//! eight, and root may have 128 for all processes of the machine. With sixteen hosts on, the next
//! one does not boot.

use std::fs;

use anyhow::{Context, Result};

const LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";
const NEEDED: u32 = 1024;

/// Raises a lower limit until the machine reboots, and prints a message.
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
