//! What this computer has for virtual machines.

use std::fs::OpenOptions;

/// The operating systems that `deploy` runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatingSystem {
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
}

/// What runs the guest's instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceleration {
    /// Linux's KVM.
    Kvm,
    /// macOS's Hypervisor.framework.
    Hvf,
    /// qemu itself, ten to thirty times slower; the text says why.
    Emulated(String),
}

/// This computer, as far as it decides about qemu's command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computer {
    /// The operating system.
    pub os: OperatingSystem,
    /// The architecture, in Nix's word: `aarch64` or `x86_64`.
    pub arch: String,
    /// Why `/dev/kvm` cannot be used; `None` if it can. On macOS it does not matter.
    pub kvm: Option<String>,
}

impl Computer {
    /// Looks at this computer.
    pub fn look() -> Self {
        let kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm");
        Self {
            os: match std::env::consts::OS {
                "macos" => OperatingSystem::MacOs,
                _ => OperatingSystem::Linux,
            },
            arch: std::env::consts::ARCH.to_owned(),
            kvm: kvm.err().map(|error| format!("/dev/kvm: {error}")),
        }
    }

    /// Nix's word for a Linux guest that runs here without emulation.
    pub fn guest_system(&self) -> String {
        format!("{}-linux", self.arch)
    }

    /// What runs a guest of this platform.
    pub fn acceleration(&self, system: &str) -> Acceleration {
        if system != self.guest_system() {
            let arch = &self.arch;
            return Acceleration::Emulated(format!(
                "it is for {system} and this computer is {arch}"
            ));
        }
        match (self.os, &self.kvm) {
            (OperatingSystem::MacOs, _) => Acceleration::Hvf,
            (OperatingSystem::Linux, None) => Acceleration::Kvm,
            (OperatingSystem::Linux, Some(why)) => Acceleration::Emulated(why.clone()),
        }
    }
}

#[cfg(test)]
pub mod tests;
