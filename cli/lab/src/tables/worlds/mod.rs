//! Worlds: the environments that people deploy from and to, besides the systems. A covering array
//! has every pair of values of any two axes. The main story runs in each world, and
//! docs/where-it-works.md has the results. Scenarios set the worlds up; nothing here does.

mod array;
pub mod cover;
mod page;
mod seen;

pub use self::array::all;
pub use self::page::PAGE;
pub use self::seen::{Ending, keep, load};

/// The axes in which environments differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// The login shell on the machine.
    Shell,
    /// How the login user becomes root.
    Root,
    /// The operator's ssh_config.
    SshConfig,
    /// The output of the login shell's start-up files.
    StartUp,
    /// The agent's module on the machine.
    Module,
    /// The operator's Nix.
    Nix,
    /// /tmp on the machine.
    MachineTmp,
    /// /tmp on the operator's computer.
    OperatorTmp,
    /// Whether the machine-id survives a reboot.
    MachineId,
    /// The place of the boot loader's files.
    Loader,
    /// The operator's locale and terminal.
    Locale,
    /// The umask, on both sides.
    Umask,
}

impl Axis {
    /// All axes, in the order of the array's columns.
    pub const ALL: [Self; 12] = [
        Self::Shell,
        Self::Root,
        Self::SshConfig,
        Self::StartUp,
        Self::Module,
        Self::Nix,
        Self::MachineTmp,
        Self::OperatorTmp,
        Self::MachineId,
        Self::Loader,
        Self::Locale,
        Self::Umask,
    ];

    /// The axis's name, for the array and the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shell => "login shell",
            Self::Root => "to root",
            Self::SshConfig => "ssh_config",
            Self::StartUp => "start-up files",
            Self::Module => "our module",
            Self::Nix => "operator's Nix",
            Self::MachineTmp => "/tmp there",
            Self::OperatorTmp => "/tmp here",
            Self::MachineId => "machine-id",
            Self::Loader => "loader",
            Self::Locale => "locale, TERM",
            Self::Umask => "umask",
        }
    }

    /// All values of the axis.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::Shell => &["bash", "dash", "zsh", "fish", "tcsh", "ksh93"],
            Self::Root => &["root", "sudo", "sudo, password", "doas", "sudo-rs"],
            Self::SshConfig => &["empty", "hostile"],
            Self::StartUp => &["silent", "noisy"],
            Self::Module => &["absent", "installed", "rebooted"],
            Self::Nix => &["trixie", "sid"],
            Self::MachineTmp | Self::OperatorTmp => &["normal", "noexec", "full"],
            Self::MachineId => &["kept", "new"],
            Self::Loader => &["grub", "extlinux", "systemd-boot", "systemd-boot in /efi"],
            Self::Locale => &["C.UTF-8, xterm", "de_DE.UTF-8, dumb", "none, none"],
            Self::Umask => &["022", "077"],
        }
    }
}

/// A value of an axis.
pub type Value = (Axis, &'static str);

/// Pairs of values that exclude each other, and why.
pub const IMPOSSIBLE: &[(Value, Value, &str)] = &[(
    (Axis::Module, "installed"),
    (Axis::MachineId, "new"),
    "a new id comes with a boot, and the module is then one that was rebooted",
)];

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The world's line in the array, from 1.
    pub number: usize,
    /// One value for each of [`Axis::ALL`].
    values: Vec<&'static str>,
}

impl World {
    /// The world's value of an axis.
    pub fn of(&self, axis: Axis) -> &'static str {
        self.values[axis as usize]
    }

    /// Whether the world has this value.
    pub fn has(&self, (axis, value): Value) -> bool {
        self.of(axis) == value
    }

    /// The world's name, for scenarios and files.
    pub fn word(&self) -> String {
        format!("world-{:02}", self.number)
    }
}
