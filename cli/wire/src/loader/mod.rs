//! Parsers of boot loader files, which determine the system that a reboot starts.
//!
//! They are pure: the caller passes the texts of the files. The agent reads the paths below, and
//! `ask.sh` of `deploy` the same paths at the login.

mod extlinux;
mod grub;
mod systemd_boot;
mod version;

pub use extlinux::ExtlinuxEntry;
pub use systemd_boot::{SystemdBoot, Variables};

use crate::{outcome::BootDefault, store_path::StorePath};

/// The path of GRUB's configuration on NixOS.
pub const GRUB: &str = "/boot/grub/grub.cfg";
/// The path of extlinux's configuration on NixOS.
pub const EXTLINUX: &str = "/boot/extlinux/extlinux.conf";
/// The possible paths of systemd-boot's configuration. NixOS's default mount point of the EFI
/// system partition comes first.
pub const SYSTEMD_BOOT: [&str; 3] =
    ["/boot/loader/loader.conf", "/efi/loader/loader.conf", "/boot/efi/loader/loader.conf"];
/// The possible folders of systemd-boot's entries: on the EFI system partition or on an XBOOTLDR
/// partition.
pub const SYSTEMD_BOOT_ENTRIES: [&str; 3] =
    ["/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries"];
/// The possible folders of unified kernel images, which systemd-boot finds without an entry.
pub const SYSTEMD_BOOT_IMAGES: [&str; 3] =
    ["/boot/EFI/Linux", "/efi/EFI/Linux", "/boot/efi/EFI/Linux"];
/// This folder exists on a machine that was booted by EFI.
pub const EFI: &str = "/sys/firmware/efi";
/// The folder of EFI variables.
pub const EFI_VARIABLES: &str = "/sys/firmware/efi/efivars";
/// The variable that names the entry of the next boot only.
pub const LOADER_ENTRY_ONE_SHOT: &str = "LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/// The variable that names the default entry, before `loader.conf` does.
pub const LOADER_ENTRY_DEFAULT: &str = "LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// The texts of the machine's boot loader files; `None` for a missing file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoaderFiles {
    /// The text of [`GRUB`].
    pub grub: Option<String>,
    /// The text of [`EXTLINUX`].
    pub extlinux: Option<String>,
    /// systemd-boot's files, if one of [`SYSTEMD_BOOT`] exists.
    pub systemd_boot: Option<SystemdBoot>,
}

impl LoaderFiles {
    /// Whether more than one boot loader has files on the machine.
    pub fn is_of_several(&self) -> bool {
        let found = [self.grub.is_some(), self.extlinux.is_some(), self.systemd_boot.is_some()];
        found.into_iter().filter(|is_there| *is_there).count() > 1
    }

    /// The system that the default entry of the boot loader starts. With files of more than one
    /// boot loader the result is unknown; the function does not guess.
    pub fn boot_default(&self) -> BootDefault {
        match (&self.grub, &self.extlinux, &self.systemd_boot) {
            (Some(text), None, None) => from_init("grub.cfg", grub::default_init(text)),
            (None, Some(text), None) => from_init("extlinux.conf", extlinux::default_init(text)),
            (None, None, Some(found)) => {
                from_init("loader.conf", systemd_boot::default_init(found))
            }
            (None, None, None) => BootDefault::Unknown("no boot loader file in /boot".into()),
            _ => BootDefault::Unknown("more than one boot loader in /boot".into()),
        }
    }
}

fn from_init(file: &str, init: Result<String, String>) -> BootDefault {
    let read = init.and_then(|init| {
        StorePath::containing(&init).map_err(|error| format!("its default entry: {error}"))
    });
    match read {
        Ok(toplevel) => BootDefault::Known(toplevel),
        Err(why) => BootDefault::Unknown(format!("{file}: {why}")),
    }
}

/// The value of `init=` on a kernel command line.
fn init_of(command_line: &str) -> Option<&str> {
    command_line.split_whitespace().find_map(|word| word.strip_prefix("init="))
}
