//! The state of a machine that deploy-rs deploys to.

use anyhow::{Context, Result};
use deploy_lab::hosts::Host;

/// Reads the profile, the boot loader, the running system, and the file whose removal is the
/// confirmation.
const ASK: &str = "readlink /nix/var/nix/profiles/system
{ sed -n 's|.* init=\\([^ ]*\\)/init .*|\\1|p' /boot/grub/grub.cfg || true; echo none; } | head -n 1
readlink -f /run/current-system
ls /tmp | grep -c '^deploy-rs-canary-' || true
echo \"$(cat /proc/sys/kernel/random/boot_id) $(systemctl show --value -p SoftRebootsCount)\"";

#[derive(Debug)]
pub struct State {
    /// The profile's generation, such as `system-2-link`.
    pub profile: String,
    /// The system of the boot loader's default entry; `none` if /boot is gone.
    pub loader: String,
    pub runs: String,
    /// Whether the file that a confirmation removes exists.
    pub canary: bool,
    /// The id of the boot, or of the start of everything but the kernel.
    pub boot: String,
}

impl State {
    pub fn of(machine: &Host) -> Result<Self> {
        let text = machine.sh(ASK)?;
        let mut lines = text.lines().map(str::to_owned);
        let mut next = || lines.next().with_context(|| format!("the machine says {text}"));
        Ok(Self {
            profile: next()?,
            loader: next()?,
            runs: next()?,
            canary: next()? != "0",
            boot: next()?,
        })
    }
}
