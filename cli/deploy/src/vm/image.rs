//! `vm.json`: what the flake's module says of a virtual machine, for `deploy vm`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Failure, Result};

/// The version of the document.
const VERSION: u32 = 1;

/// The link to the package with `vm.json` in a machine's folder. It keeps the package from garbage
/// collection, and is made last: a folder without it does not count.
pub const IMAGE: &str = "image";

/// A virtual machine as its package describes it. docs/vm.md has the fields.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VmImage {
    /// The document's version.
    pub version: u32,
    /// The guest's platform, as `aarch64-linux`.
    pub system: String,
    /// qemu's program for that platform.
    pub qemu: PathBuf,
    /// `qemu-img`.
    pub qemu_img: PathBuf,
    /// The program that writes the image of the first system's store to the file that it is given.
    pub make_store: PathBuf,
    /// The folder of the first system's boot files: `extlinux/extlinux.conf` and what it names.
    pub boot: PathBuf,
    /// More words for the kernel's command line, at each start.
    #[serde(default)]
    pub kernel_params: Vec<String>,
    /// Memory in MiB.
    pub memory: u32,
    /// Processor cores.
    pub cores: u32,
    /// The size of the disk in MiB.
    pub disk: u32,
    /// The names of the sites, in order.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Whether the guest decrypts its secrets with the key that `--key` gives it.
    #[serde(default)]
    pub needs_key: bool,
}

impl VmImage {
    /// Reads the document of a package.
    pub fn read(package: &Path, name: &str) -> Result<Self> {
        let file = package.join("vm.json");
        let refused = || Failure::unchanged(format!("{name} cannot be started from its image"));
        let text = std::fs::read(&file).map_err(|error| {
            refused()
                .because(format!("{}: {error}", file.display()))
                .hint(Some("nixosModules.vm makes an image that deploy vm can start".into()))
        })?;
        Self::parse(&text).map_err(|why| refused().because(format!("{}: {why}", file.display())))
    }

    fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_slice(text).map_err(|error| error.to_string())?;
        match value["version"].as_u64() {
            Some(version) if version == u64::from(VERSION) => {}
            found => {
                let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
                return Err(format!("its version is {found}, this program reads {VERSION}"));
            }
        }
        let image: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        match (image.memory, image.cores, image.disk) {
            (0, ..) | (_, 0, _) | (.., 0) => Err("memory, cores and disk are 1 or more".into()),
            _ => Ok(image),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{ "version": 1, "system": "aarch64-linux", "qemu": "q", "qemuImg": "i",
        "makeStore": "s", "boot": "b", "memory": 4096, "cores": 4, "disk": 20480 }"#;

    #[test]
    fn a_description_is_read_and_a_wrong_one_says_what_is_wrong() {
        let image = VmImage::parse(TEXT.as_bytes()).unwrap();
        assert_eq!((image.memory, image.needs_key, image.sites.len()), (4096, false, 0));
        for (from, to, why) in [
            ("\"version\": 1", "\"version\": 2", "its version is 2, this program reads 1"),
            ("\"version\": 1,", "", "its version is none"),
            ("\"cores\": 4", "\"cores\": 0", "memory, cores and disk are 1 or more"),
            ("\"cores\": 4", "\"core\": 4", "unknown field `core`"),
            ("{", "", "trailing characters"),
        ] {
            let error = VmImage::parse(TEXT.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_image_without_a_description_is_refused_with_the_module_that_makes_one() {
        let folder = tempfile::tempdir().unwrap();
        let failure = VmImage::read(folder.path(), "frame1-vm").unwrap_err().to_string();
        assert!(failure.contains("vm.json: No such file"), "{failure}");
        assert!(failure.contains("nixosModules.vm"), "{failure}");
    }
}
