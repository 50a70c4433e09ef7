//! The platform of a machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A platform that a NixOS machine can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum System {
    /// 64-bit Intel and AMD.
    #[serde(rename = "x86_64-linux")]
    X86_64Linux,
    /// 64-bit Arm.
    #[serde(rename = "aarch64-linux")]
    Aarch64Linux,
}

impl System {
    /// Nix's name for the platform, as `x86_64-linux`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64Linux => "x86_64-linux",
            Self::Aarch64Linux => "aarch64-linux",
        }
    }

    /// The platform for the output of `uname -m`.
    pub fn of_uname(machine: &str) -> Option<Self> {
        match machine {
            "x86_64" => Some(Self::X86_64Linux),
            "aarch64" | "arm64" => Some(Self::Aarch64Linux),
            _ => None,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
