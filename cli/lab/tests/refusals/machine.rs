//! The state of a machine that a refusal must not touch, as text.

use anyhow::Result;
use deploy_lab::hosts::Host;

/// Profiles, running system, roots, records, boot files, units. Locks are no state, and what
/// a login starts (`user@0.service`) is nothing of the machine's.
const STATE: &str = r#"
hostname; cat /etc/machine-id
for link in /run/current-system /run/booted-system /etc/static; do
  printf '%s -> ' $link; readlink $link || echo
done
cd /; find nix/var/nix/profiles nix/var/nix/gcroots run/deploy-agent/* -name '*.lock' -o -printf '%p %y %l\n' \
  2>/dev/null | sort
find nix/var/deploy-agent boot run/nixos -type f ! -name '*lock' -exec sha256sum {} + 2>/dev/null | sort -k 2
{
  systemctl --failed --plain --no-legend | grep -v '^user'
  systemctl list-units --all --plain --no-legend 'deploy-*'
  systemctl list-units --plain --no-legend --state=active --type=service,timer |
    grep -vE '^(systemd-|user|session|nix-daemon|init)'
} | tr -s ' '
"#;

/// What the machine is now.
pub fn state(host: &Host) -> Result<String> {
    Ok(host.command(["sh", "-c", STATE]).run()?.stdout)
}
