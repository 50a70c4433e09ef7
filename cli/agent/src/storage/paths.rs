//! Where things are on a machine.

/// The only folder that every NixOS must keep over a boot is /nix.
pub const STATE: &str = "/nix/var/deploy-agent";
/// What may die with the boot.
pub const VOLATILE: &str = "/run/deploy-agent";
/// Direct roots against garbage collection.
pub const ROOTS: &str = "/nix/var/nix/gcroots/deploy-agent";
/// The system profile.
pub const PROFILE: &str = "/nix/var/nix/profiles/system";
/// What runs.
pub const RUNNING: &str = "/run/current-system";
/// The lists that an interrupted switch leaves.
pub const SWITCH_LISTS: &str = "/run/nixos";
/// The lock of `switch-to-configuration`.
pub const SWITCH_LOCK: &str = "/run/nixos/switch-to-configuration.lock";
/// Where programs are when the toplevel does not have them, NixOS's places first.
pub const PROGRAMS: [&str; 6] = [
    "/run/current-system/systemd/bin",
    "/run/current-system/sw/bin",
    "/nix/var/nix/profiles/default/bin",
    "/run/wrappers/bin",
    "/usr/bin",
    "/bin",
];
