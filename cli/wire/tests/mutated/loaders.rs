//! Boot loaders' files, given to the reader as the agent gives them: of GRUB and extlinux a
//! file that is no text is none, of systemd-boot it is read as far as it goes.

use deploy_wire::{
    loader::{LoaderFiles, SystemdBoot, Variables},
    outcome::BootDefault,
};

use crate::damage::{Random, damage, is_clear};

const SYSTEM: &str = "/nix/store/11111111111111111111111111111111-nixos-system";
const OTHER: &str = "/nix/store/22222222222222222222222222222222-nixos-system";

/// Damages a file; a default that is told is one of those that the file named, or differs
/// from them by the damage alone.
fn loader(times: usize, text: &str, files: impl Fn(Vec<u8>) -> LoaderFiles) {
    let whole = files(text.into()).boot_default();
    assert_eq!(whole.known().map(|path| path.as_str()), Some(SYSTEM), "{whole}");
    let mut random = Random(0xb007);
    for _ in 0..times {
        let damaged = damage(text.as_bytes(), &mut random);
        match files(damaged.clone()).boot_default() {
            BootDefault::Unknown(why) => is_clear(&why),
            BootDefault::Known(path) => {
                let damaged = String::from_utf8_lossy(&damaged);
                assert!(damaged.contains(path.as_str()), "{path} is not in\n{damaged}");
            }
        }
    }
}

pub fn grub(times: usize) {
    let text = format!(
        "if [ \"${{saved_entry}}\" ]; then\n  set default=\"${{saved_entry}}\"\nelse\n  \
         set default=0\nfi\nmenuentry \"NixOS\" --class nixos {{\n  linux ($drive1)/k \
         init={SYSTEM}/init loglevel=4\n  initrd ($drive1)/i\n}}\nsubmenu \"All\" {{\n\
         menuentry \"NixOS - 1\" {{\n  linux ($drive1)/k init={OTHER}/init\n}}\n}}\n"
    );
    loader(times, &text, |bytes| LoaderFiles {
        grub: String::from_utf8(bytes).ok(),
        ..LoaderFiles::default()
    });
}

pub fn extlinux(times: usize) {
    let text = format!(
        "DEFAULT nixos-default\nTIMEOUT 50\nLABEL nixos-default\n  LINUX ../nixos/k\n  \
         APPEND init={SYSTEM}/init loglevel=4\nLABEL nixos-1-default\n  APPEND init={OTHER}/init\n"
    );
    loader(times, &text, |bytes| LoaderFiles {
        extlinux: String::from_utf8(bytes).ok(),
        ..LoaderFiles::default()
    });
}

/// What separates the files of systemd-boot in the text that is damaged. Each begins with a line
/// that has its name.
const NEXT: &str = "--\n";
const CONF: &str = "loader.conf";
const DEFAULT: &str = "LoaderEntryDefault";

pub fn systemd_boot(times: usize) {
    // As many entries as a sort needs to notice an order that contradicts itself.
    let entries: String = (1..25)
        .map(|number| {
            let init = if number == 2 { SYSTEM } else { OTHER };
            format!(
                "{NEXT}nixos-generation-{number}.conf\nsort-key nixos\nversion Generation {number}\n\
                 options init={init}/init loglevel=4\n"
            )
        })
        .collect();
    let by_file = format!("{CONF}\ntimeout 5\ndefault nixos-generation-2[.]c*\n{entries}");
    loader(times, &by_file, |bytes| files(&bytes));
    // The firmware's variable decides before the file does.
    let by_firmware = format!(
        "{CONF}\ndefault nixos-generation-10.conf\n{entries}{NEXT}{DEFAULT}\nnixos-generation-2.conf"
    );
    loader(times, &by_firmware, |bytes| files(&bytes));
}

fn files(bytes: &[u8]) -> LoaderFiles {
    let text = String::from_utf8_lossy(bytes);
    let mut found = SystemdBoot::default();
    for file in text.split(NEXT) {
        let (name, text) = file.split_once('\n').unwrap_or((file, ""));
        let text = text.to_owned();
        match name {
            CONF => found.loader_conf = text,
            DEFAULT => found.variables = Variables::Read { one_shot: None, default: Some(text) },
            name => drop(found.entries.insert(name.to_owned(), text)),
        }
    }
    LoaderFiles { systemd_boot: Some(found), ..LoaderFiles::default() }
}
