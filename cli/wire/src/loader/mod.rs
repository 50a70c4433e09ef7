//! Reading boot loader files: which system a reboot starts.
//!
//! Pure: the caller brings the files' texts.

mod extlinux;
mod grub;

use crate::{outcome::BootDefault, store_path::StorePath};

/// Where GRUB's configuration is on NixOS.
pub const GRUB: &str = "/boot/grub/grub.cfg";
/// Where extlinux's configuration is on NixOS.
pub const EXTLINUX: &str = "/boot/extlinux/extlinux.conf";
/// Where systemd-boot's configuration is on NixOS; read only to say that it is
/// there.
pub const SYSTEMD_BOOT: &str = "/boot/loader/loader.conf";

/// The texts of the loader files that a machine has; `None` for those it lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoaderFiles {
    /// The text of [`GRUB`].
    pub grub: Option<String>,
    /// The text of [`EXTLINUX`].
    pub extlinux: Option<String>,
    /// The text of [`SYSTEMD_BOOT`].
    pub systemd_boot: Option<String>,
}

impl LoaderFiles {
    /// The system that the default entry of the machine's boot loader starts.
    /// More than one loader is not guessed about.
    pub fn boot_default(&self) -> BootDefault {
        match (&self.grub, &self.extlinux, &self.systemd_boot) {
            (Some(text), None, None) => from_init("grub.cfg", grub::default_init(text)),
            (None, Some(text), None) => from_init("extlinux.conf", extlinux::default_init(text)),
            (None, None, Some(_)) => {
                BootDefault::Unknown("systemd-boot's default entry is not read yet".into())
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
