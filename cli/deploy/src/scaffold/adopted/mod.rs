//! A machine that runs NixOS already, as modules: what it runs on, how it boots, how it is in the
//! network. Everything here is text in and text out.

mod file_systems;
mod hardware;
mod loader;
mod network;

use rnix::Root;

use super::modules::Hardware;

/// What a machine said of itself. A text is empty where it said nothing.
#[derive(Debug, Clone, Default)]
pub struct Surveyed {
    /// The output of `nixos-generate-config --show-hardware-config`.
    pub hardware: String,
    /// Whether GRUB's configuration is there.
    pub grub: bool,
    /// What NixOS's installer of GRUB noted of its last run.
    pub grub_state: String,
    /// Whether extlinux's configuration is there.
    pub extlinux: bool,
    /// Where the partition with systemd-boot is mounted.
    pub systemd_boot: Option<String>,
    /// Whether its firmware is UEFI.
    pub efi: bool,
    /// `/proc/self/mounts`.
    pub mounts: String,
    /// `/proc/swaps`.
    pub swaps: String,
    /// Lines of a name in /dev/disk/by-uuid and the device that it leads to.
    pub disks: String,
    /// The output of `ip -o -4 address show scope global`.
    pub addresses: String,
    /// The output of `ip -4 route show default`.
    pub route: String,
    /// The lines of /etc/resolv.conf with name servers.
    pub nameservers: String,
}

/// The modules, and what could not be read, for people.
#[derive(Debug, Clone)]
pub struct Adopted {
    /// What it runs on.
    pub hardware: Hardware,
    /// What has to be looked at by hand.
    pub notes: Vec<String>,
}

/// A part of `default.nix`, and what is missing in it.
struct AdoptedPart {
    text: String,
    note: Option<String>,
}

/// Makes modules of what a machine said.
pub fn adopted(said: &Surveyed) -> Adopted {
    // What is no Nix, as a text that was cut off, would break the whole fleet's evaluation.
    let is_nix = |text: &&str| !text.is_empty() && Root::parse(text).errors().is_empty();
    let (file, missing) = match Some(said.hardware.trim()).filter(is_nix) {
        Some(text) => hardware::without_secrets(text),
        None => {
            let found = file_systems::all(said);
            let has_root = found.mounted.iter().any(|one| one.folder == "/");
            let note = (!has_root).then(|| {
                "its root is on no disk that was found: set fileSystems.\"/\" in hardware.nix"
                    .into()
            });
            (hardware::from_facts(&found), note)
        }
    };
    let (loader, network) = (loader::settings(said), network::settings(said));
    let settings = format!("\n{}{}", loader.text, network.text);
    let notes = [missing, loader.note, network.note].into_iter().flatten().collect();
    Adopted { hardware: Hardware::Adopted { file, settings }, notes }
}

/// A text in Nix's quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '$' => quoted.push_str("\\$"),
            c if c.is_control() => {}
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
