//! What Linux has mounted and swaps to: the formats of `mountinfo` and `swaps`.

use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The device's numbers, as `8:17`. Btrfs has others than its device.
    pub numbers: String,
    /// The device's file, where the file system has one.
    pub source: PathBuf,
    /// The folder.
    pub at: PathBuf,
}

/// Folders without which this computer does not run or start again. `/iso` is that of NixOS's
/// installer.
const NEEDED: [&str; 10] =
    ["/boot", "/efi", "/etc", "/home", "/iso", "/nix", "/root", "/run/initramfs", "/usr", "/var"];

impl Mount {
    /// The mounts in a text of `mountinfo`, the oldest first.
    pub fn all(text: &str) -> Vec<Self> {
        text.lines().filter_map(Self::of_line).collect()
    }

    fn of_line(line: &str) -> Option<Self> {
        let (before, behind) = line.split_once(" - ")?;
        let mut fields = before.split(' ');
        let (numbers, at) = (fields.nth(2)?, fields.nth(1)?);
        let source = behind.split(' ').nth(1)?;
        Some(Self { numbers: numbers.to_owned(), source: path(source), at: path(at) })
    }

    /// Whether this computer needs it: the root, or one of the folders that belong to a system.
    pub fn is_needed(&self) -> bool {
        self.at == Path::new("/") || NEEDED.iter().any(|folder| self.at.starts_with(folder))
    }
}

/// The devices in a text of `swaps`.
pub fn swaps(text: &str) -> Vec<PathBuf> {
    text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(path).collect()
}

/// A path, in which the kernel writes blanks as `\040`.
fn path(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        let octal = more.get(..3).filter(|_| byte == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(letter) => {
                bytes.push(letter);
                rest = &more[3..];
            }
            None => {
                bytes.push(byte);
                rest = more;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_and_swaps_are_read() {
        let text = "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                    90 23 8:17 / /media/my\\040stick rw - vfat /dev/sdb1 rw\n\
                    91 23 0:45 /@home /home rw - btrfs /dev/mapper/home rw\n\
                    nonsense\n";
        let mounts = Mount::all(text);
        let at: Vec<_> = mounts.iter().map(|mount| mount.at.to_string_lossy()).collect();
        assert_eq!(at, ["/", "/media/my stick", "/home"]);
        assert_eq!(mounts[2].source, Path::new("/dev/mapper/home"));
        let needed: Vec<bool> = mounts.iter().map(Mount::is_needed).collect();
        assert_eq!(needed, [true, false, true]);
        let swap = "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n";
        assert_eq!(swaps(swap), [PathBuf::from("/dev/sda2")]);
        assert_eq!(path("/a\\b"), Path::new("/a\\b"));
    }
}
