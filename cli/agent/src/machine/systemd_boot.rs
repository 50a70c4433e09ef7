//! systemd-boot's files and EFI variables on this machine.

use std::{collections::BTreeMap, fs, io, path::Path};

use deploy_wire::loader::{
    EFI, EFI_VARIABLES, LOADER_ENTRY_DEFAULT, LOADER_ENTRY_ONE_SHOT, SYSTEMD_BOOT,
    SYSTEMD_BOOT_ENTRIES, SYSTEMD_BOOT_IMAGES, SystemdBoot, Variables,
};

/// Reads the files; `None` on a machine without `loader.conf`.
pub fn files() -> Option<SystemdBoot> {
    let loader_conf = SYSTEMD_BOOT.into_iter().find_map(text)?;
    Some(SystemdBoot {
        loader_conf,
        entries: SYSTEMD_BOOT_ENTRIES.into_iter().flat_map(entries).collect(),
        images: SYSTEMD_BOOT_IMAGES.into_iter().flat_map(names).collect(),
        variables: variables(),
    })
}

/// Reads a file leniently. Only the text of the default entry counts, so other damage does not
/// matter.
fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn entries(folder: &str) -> BTreeMap<String, String> {
    let read = |name: String| Some((name.clone(), text(Path::new(folder).join(name))?));
    names(folder).into_iter().filter_map(read).collect()
}

fn names(folder: &str) -> Vec<String> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn variables() -> Variables {
    if !Path::new(EFI).exists() {
        return Variables::None;
    }
    // The variables are not mounted, as in a container.
    if names(EFI_VARIABLES).is_empty() {
        return Variables::Unreadable;
    }
    match (variable(LOADER_ENTRY_ONE_SHOT), variable(LOADER_ENTRY_DEFAULT)) {
        (Ok(one_shot), Ok(default)) => Variables::Read { one_shot, default },
        _ => Variables::Unreadable,
    }
}

fn variable(name: &str) -> io::Result<Option<String>> {
    match fs::read(Path::new(EFI_VARIABLES).join(name)) {
        Ok(bytes) => Ok(word(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Decodes a variable: four bytes of attributes, then UTF-16 up to a zero. An empty value counts as
/// none.
fn word(bytes: &[u8]) -> Option<String> {
    let (pairs, _) = bytes.get(4..)?.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    Some(String::from_utf16_lossy(&units[..end])).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_firmware_holds_is_read(bytes in any::<Vec<u8>>()) {
            prop_assert!(word(&bytes).is_none_or(|text| !text.is_empty()));
        }
    }

    #[test]
    fn a_variable_is_attributes_and_text() {
        assert_eq!(word(b"\x07\0\0\0a\0.\0\0\0x\0").as_deref(), Some("a."));
        assert_eq!(word(b"\x07\0\0\0a\0").as_deref(), Some("a"));
        assert_eq!(word(b"\x07\0\0\0\0\0"), None);
        assert_eq!(word(b"\x07"), None);
    }
}
