//! Whether a computer is one that a machine may be installed on. It is pure.

mod disks;

pub use disks::DiskToWrite;

use deploy_wire::machine::Machine;

use super::{facts::ComputerFacts, wish::InstallWish};
use crate::error::{Failure, Result};

/// Whether the operator typed out that what is on the computer may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wipe {
    /// Only empty disks are written to, by an installer.
    No,
    /// All that is on the machine's disks may be lost.
    Agreed,
}

/// A computer, and what is wanted of it.
#[derive(Debug, Clone, Copy)]
pub struct Fitting<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// The address, as the operator named it.
    pub host: &'a str,
    /// What its configuration wants.
    pub wish: &'a InstallWish,
    /// What the operator agreed to.
    pub wipe: Wipe,
}

/// A computer that fits.
#[derive(Debug, PartialEq, Eq)]
pub struct Fit {
    /// Whether it is NixOS's installer. Otherwise it is a running system, which the operator agreed to
    /// lose, and has to become an installer first.
    pub is_installer: bool,
    /// Its disks that are written.
    pub disks: Vec<DiskToWrite>,
}

impl Fitting<'_> {
    /// Refuses a computer that does not fit, by the first reason. Nothing was changed then.
    pub fn fit(&self, facts: &ComputerFacts) -> Result<Fit> {
        let is_installer = self.installer(facts)?;
        self.hardware(facts)?;
        self.network(facts)?;
        if is_installer {
            self.tools(facts)?;
        }
        Ok(Fit { is_installer, disks: self.disks(facts, is_installer)? })
    }

    /// The begin of a refusal.
    fn refused(&self) -> Box<Failure> {
        let Self { machine, host, .. } = self;
        Failure::unchanged(format!("{} is not installed on {host}", machine.name))
    }

    /// The flag that agrees to a loss.
    fn wipe_flag(&self) -> String {
        format!("--wipe {}", self.machine.name)
    }

    fn installer(&self, facts: &ComputerFacts) -> Result<bool> {
        if facts.is_installer() || self.wipe == Wipe::Agreed {
            return Ok(facts.is_installer());
        }
        let Self { machine, host, .. } = self;
        let (name, flag) = (&machine.name, self.wipe_flag());
        let is_it = machine.host_name.as_ref() == Some(&facts.host);
        if is_it {
            return Err(Failure::unchanged(format!("{name} is installed already"))
                .because(format!("{host} calls itself `{}` and runs {}", facts.host, facts.os))
                .hint(Some(format!(
                    "deploy {name} brings it the flake's system\n\
                     {flag} installs it anew, and all that is on its disks is lost"
                ))));
        }
        let os = if facts.os.is_empty() { "a system of its own" } else { &facts.os };
        Err(self
            .refused()
            .because(format!(
                "{host} is no installer: it runs {os} from {}, and calls itself `{}`",
                facts.root, facts.host
            ))
            .hint(Some(format!(
                "is it the right computer? start it from the installer (deploy iso makes one)\n\
                 {flag} goes on: all that is on its disks is lost"
            ))))
    }

    fn hardware(&self, facts: &ComputerFacts) -> Result<()> {
        let Self { machine, host, wish, .. } = self;
        let name = &machine.name;
        if facts.system != Some(machine.system) {
            return Err(self
                .refused()
                .because(format!(
                    "it is for {}, `uname -m` on {host} says {}",
                    machine.system, facts.uname
                ))
                .hint(Some(format!("nixpkgs.hostPlatform of {name} names the platform"))));
        }
        // The firmware and the kernel keep a part for themselves.
        let least = wish.least_memory();
        if let Some(memory) = facts.memory.filter(|memory| *memory < least * 9 / 10) {
            return Err(self.refused().because(format!("{host} has {memory} MiB of memory")).hint(
                Some(format!("{name} needs {least} MiB (`deploy.memory`, and 1024 at least)")),
            ));
        }
        let (is, other) = if facts.uefi { ("UEFI", "a BIOS") } else { ("a BIOS", "UEFI") };
        let starts = if facts.uefi { wish.uefi } else { wish.bios };
        // A board's loader is neither, and nothing is known of it.
        if !starts && (wish.uefi || wish.bios) {
            return Err(self
                .refused()
                .because(format!(
                    "{host} was started by {is}, and the boot loader of {name} starts from {other} \
                     alone"
                ))
                .hint(Some(format!(
                    "start the installer by {other}, in the firmware's menu\n\
                     or let the boot loader be one for {is}: boot.loader of {name}"
                ))));
        }
        Ok(())
    }

    /// Refuses a machine that would not be found again.
    fn network(&self, facts: &ComputerFacts) -> Result<()> {
        let Self { machine, host, wish, .. } = self;
        let Some(interface) = facts.wireless.as_ref() else { return Ok(()) };
        if wish.wireless || !facts.wired.is_empty() {
            return Ok(());
        }
        let name = &machine.name;
        Err(self
            .refused()
            .because(format!(
                "{host} is reached over Wi-Fi ({interface}) and has no cable, and {name} knows no Wi-Fi"
            ))
            .hint(Some(format!(
                "plug in a cable, or give {name} the network: networking.wireless or \
                 networking.networkmanager"
            ))))
    }

    fn tools(&self, facts: &ComputerFacts) -> Result<()> {
        if facts.lacks.is_empty() {
            return Ok(());
        }
        Err(self
            .refused()
            .because(format!("the installer on {} lacks {}", self.host, facts.lacks.join(", ")))
            .hint(Some("NixOS's own installer has all of them, and deploy iso makes one".into())))
    }
}

#[cfg(test)]
mod tests;
