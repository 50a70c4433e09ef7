//! The paths on a machine.

/// The agent's state. /nix is the only folder that every NixOS machine keeps over a boot.
pub const STATE: &str = "/nix/var/deploy-agent";
/// What has come of a large path whose push was cut off.
pub const PARTIAL: &str = "/nix/var/deploy-agent/partial";
/// State that may be lost at a restart.
pub const VOLATILE: &str = "/run/deploy-agent";
/// Garbage collector roots, as direct links.
pub const ROOTS: &str = "/nix/var/nix/gcroots/deploy-agent";
pub const PROFILE: &str = "/nix/var/nix/profiles/system";
/// The link to the running system.
pub const RUNNING: &str = "/run/current-system";
/// The folder of the lists that an interrupted switch leaves.
pub const SWITCH_LISTS: &str = "/run/nixos";
pub const SWITCH_LOCK: &str = "/run/nixos/switch-to-configuration.lock";
/// The folders of programs that the toplevel lacks. NixOS's folders come first.
pub const PROGRAMS: [&str; 6] = [
    "/run/current-system/systemd/bin",
    "/run/current-system/sw/bin",
    "/nix/var/nix/profiles/default/bin",
    "/run/wrappers/bin",
    "/usr/bin",
    "/bin",
];
/// What builders may send, as long as the operators' conversations last.
pub const BUILDERS: &str = "/run/deploy-agent/builders";
/// The one-time keys of builders, in a file for each user. sshd reads it as that user, so it cannot
/// be in [`VOLATILE`].
pub const BUILDER_KEYS: &str = "/run/deploy-agent-keys";
/// NixOS's programs that become root.
pub const WRAPPERS: &str = "/run/wrappers/bin";
