//! What a virtual machine boots: the default entry of the boot files that it wrote itself, in the
//! folder that it shares with this computer.

use std::path::{Component, Path, PathBuf};

use deploy_wire::loader::ExtlinuxEntry;

use crate::error::{Failure, Result};

/// The folder of the boot files, in the machine's folder.
pub const BOOT: &str = "boot";

/// The kernel, the initrd and the command line of the next start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootEntry {
    /// The kernel, relative to the machine's folder.
    pub kernel: PathBuf,
    /// The initrd, relative to the machine's folder.
    pub initrd: PathBuf,
    /// The kernel's command line.
    pub options: String,
}

impl BootEntry {
    /// Reads the default entry. `folder` is the machine's folder.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let file = folder.join(BOOT).join("extlinux/extlinux.conf");
        let refused = |why: String| {
            Failure::unchanged(format!("{name} has nothing to boot"))
                .because(why)
                .hint(Some("--fresh makes its disk anew; what is on it is lost".into()))
        };
        let text = std::fs::read_to_string(&file)
            .map_err(|error| refused(format!("{}: {error}", file.display())))?;
        let entry = ExtlinuxEntry::default_of(&text)
            .map_err(|why| refused(format!("{}: {why}", file.display())))?;
        Ok(Self {
            kernel: inside(folder, &entry.kernel).map_err(refused)?,
            initrd: inside(folder, &entry.initrd).map_err(refused)?,
            options: entry.options,
        })
    }

    /// The system of the entry, from `init=`.
    pub fn system(&self) -> Option<&str> {
        let init = self.options.split_whitespace().find_map(|word| word.strip_prefix("init="))?;
        Some(init.strip_suffix("/init").unwrap_or(init))
    }
}

/// The file that a path of extlinux.conf names, which has to be a file of the folder. The guest
/// writes that folder, and qemu would put any file of this user that it names, or that a link there
/// leads to, into the guest's memory: `a_guest_cannot_have_a_file_of_this_computer_as_its_initrd`.
fn inside(folder: &Path, named: &str) -> std::result::Result<PathBuf, String> {
    let mut path = PathBuf::from(BOOT).join("extlinux");
    for component in Path::new(named).components() {
        match component {
            Component::ParentDir => _ = path.pop(),
            Component::RootDir => path = BOOT.into(),
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let refused = |why: &dyn std::fmt::Display| format!("its boot file {named}: {why}");
    let real = folder.join(&path).canonicalize().map_err(|error| refused(&error))?;
    let boot = folder.join(BOOT).canonicalize().map_err(|error| refused(&error))?;
    if !real.starts_with(&boot) {
        return Err(refused(&"it leads out of the boot folder"));
    }
    if !real.is_file() {
        return Err(refused(&"it is no file"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A machine's folder with boot files whose extlinux.conf names this kernel.
    fn folder(kernel: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for part in ["boot/extlinux", "boot/nixos"] {
            fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        for file in ["k", "i"] {
            fs::write(folder.path().join("boot/nixos").join(file), file).unwrap();
        }
        let text = format!(
            "DEFAULT nixos-default\nLABEL nixos-default\n  LINUX {kernel}\n  INITRD ../nixos/i\n  \
             APPEND init=/nix/store/a/init quiet\n"
        );
        fs::write(folder.path().join("boot/extlinux/extlinux.conf"), text).unwrap();
        folder
    }

    fn refused(kernel: &str, prepare: impl FnOnce(&Path)) -> String {
        let folder = folder(kernel);
        prepare(folder.path());
        BootEntry::read(folder.path(), "frame1-vm").unwrap_err().to_string()
    }

    #[test]
    fn the_default_entry_is_read() {
        for kernel in ["../nixos/k", "/nixos/k"] {
            let entry = BootEntry::read(folder(kernel).path(), "frame1-vm").unwrap();
            assert_eq!(entry.kernel, Path::new("boot/nixos/k"));
            assert_eq!(entry.initrd, Path::new("boot/nixos/i"));
            assert_eq!(entry.system(), Some("/nix/store/a"));
        }
    }

    #[test]
    fn a_guest_cannot_have_a_file_of_this_computer_as_its_initrd() {
        let beside = |folder: &Path| fs::write(folder.join("run.json"), "").unwrap();
        assert!(refused("../../run.json", beside).contains("leads out of the boot folder"));
        let link = |folder: &Path| {
            let at = folder.join("boot/nixos/link");
            std::os::unix::fs::symlink("/etc/passwd", at).unwrap();
        };
        assert!(refused("../nixos/link", link).contains("leads out of the boot folder"));
    }

    #[test]
    fn missing_boot_files_are_named() {
        assert!(refused("../nixos/none", |_| ()).contains("../nixos/none: No such file"));
        assert!(refused("../nixos", |_| ()).contains("it is no file"));
        let removed = refused("../nixos/k", |folder| {
            fs::remove_file(folder.join("boot/extlinux/extlinux.conf")).unwrap();
        });
        assert!(removed.contains("extlinux.conf: No such file"), "{removed}");
        assert!(removed.contains("--fresh"), "{removed}");
    }
}
