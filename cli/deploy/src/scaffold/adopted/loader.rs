//! How a machine boots: the loader that has files on it.

use super::{AdoptedPart, Surveyed, quoted};

/// The settings of its loader.
pub fn settings(said: &Surveyed) -> AdoptedPart {
    if let Some(esp) = &said.systemd_boot {
        let esp = match esp.as_str() {
            "/boot" => String::new(),
            esp => format!("  boot.loader.efi.efiSysMountPoint = {};\n", quoted(esp)),
        };
        let variables = said.efi.then_some("  boot.loader.efi.canTouchEfiVariables = true;\n");
        let text = format!(
            "  boot.loader.systemd-boot.enable = true;\n{esp}{}",
            variables.unwrap_or_default()
        );
        return AdoptedPart { text, note: None };
    }
    if said.grub {
        return grub(&said.grub_state);
    }
    if said.extlinux {
        let text = "  boot.loader.grub.enable = false;\n  \
                    boot.loader.generic-extlinux-compatible.enable = true;\n";
        return AdoptedPart { text: text.into(), note: None };
    }
    AdoptedPart {
        text: "  # Its boot loader was not found: set boot.loader by hand.\n".into(),
        note: Some("its boot loader was not found: set boot.loader in default.nix".into()),
    }
}

/// GRUB, by the file that NixOS's `install-grub.pl` writes: its name, its version, whether it was
/// installed for EFI (`no`, `only`, `both`), the devices, where the EFI partition is mounted.
fn grub(state: &str) -> AdoptedPart {
    let lines: Vec<&str> = state.lines().map(str::trim).collect();
    let [_, _, efi, devices, rest @ ..] = lines.as_slice() else {
        return AdoptedPart {
            text: "  # GRUB is there, and on which disk could not be read: set \
                   boot.loader.grub.devices.\n"
                .into(),
            note: Some(
                "on which disk GRUB is could not be read: set boot.loader.grub.devices in \
                 default.nix"
                    .into(),
            ),
        };
    };
    let devices: Vec<String> =
        devices.split(',').filter(|one| !one.is_empty()).map(quoted).collect();
    let devices = match *efi == "only" || devices.is_empty() {
        true => "[ \"nodev\" ]".to_owned(),
        false => format!("[ {} ]", devices.join(" ")),
    };
    let mut text = format!("  boot.loader.grub.devices = {devices};\n");
    if *efi != "no" {
        text += "  boot.loader.grub.efiSupport = true;\n";
        if let Some(esp) = rest.first().filter(|esp| esp.starts_with('/') && **esp != "/boot") {
            text += &format!("  boot.loader.efi.efiSysMountPoint = {};\n", quoted(esp));
        }
        // Whether it wrote a variable of the firmware or the removable path is not noted; the latter
        // is found by every firmware.
        text += "  boot.loader.grub.efiInstallAsRemovable = true;\n";
    }
    AdoptedPart { text, note: None }
}
