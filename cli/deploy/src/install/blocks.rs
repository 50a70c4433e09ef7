//! The block devices of a computer, as `lsblk --json` prints them.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A block device, and what is built on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BlockDevice {
    /// Its path: `/dev/sda`.
    #[serde(deserialize_with = "words")]
    pub name: String,
    /// `disk`, `part`, `crypt`, `lvm`, `raid1`, `loop`, `rom`.
    #[serde(rename = "type", deserialize_with = "words")]
    pub kind: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether nothing can be written to it.
    #[serde(rename = "ro")]
    pub read_only: bool,
    /// The manufacturer's name for it; may be empty.
    #[serde(deserialize_with = "words")]
    pub model: String,
    /// The file system, or what else it is a part of; may be empty.
    #[serde(rename = "fstype", deserialize_with = "words")]
    pub filesystem: String,
    /// The file system's name; may be empty.
    #[serde(deserialize_with = "words")]
    pub label: String,
    /// The kind of its table of partitions; may be empty.
    #[serde(rename = "pttype", deserialize_with = "words")]
    pub table: String,
    /// Where it is mounted; `[SWAP]` for swap.
    #[serde(alias = "mountpoint", deserialize_with = "points")]
    pub mountpoints: Vec<String>,
    /// Its partitions, and what is built on it.
    pub children: Vec<BlockDevice>,
}

#[derive(Deserialize)]
struct Listed {
    blockdevices: Vec<BlockDevice>,
}

/// Null stands for what there is not.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(from)?.unwrap_or_default().trim().to_owned())
}

/// One, several or none.
fn points<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(point) => vec![point],
        Value::Array(all) => {
            all.iter().filter_map(|point| point.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    })
}

impl BlockDevice {
    /// Reads the output of `lsblk --json --bytes --paths`. The error says what is wrong with it.
    pub fn all(text: &str) -> Result<Vec<Self>, String> {
        let listed: Listed = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(listed.blockdevices)
    }

    /// The device of this path: this one, or one that is built on it.
    pub fn find(&self, path: &str) -> Option<&Self> {
        if self.name == path {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(path))
    }

    /// This device, and all that is built on it.
    fn tree(&self) -> Vec<&Self> {
        let below = self.children.iter().flat_map(Self::tree);
        std::iter::once(self).chain(below).collect()
    }

    /// Where it, or what is built on it, is mounted.
    pub fn mounted(&self) -> Vec<&str> {
        self.tree().into_iter().flat_map(|device| &device.mountpoints).map(String::as_str).collect()
    }

    /// What is on it, one line for each device with something; empty for an empty disk.
    pub fn contents(&self) -> Vec<String> {
        let line = |device: &Self| {
            let mut line = device.name.clone();
            let table = (!device.table.is_empty()).then(|| format!("a {} table", device.table));
            let of_partition = (device.kind == "part").then(|| "a partition".to_owned());
            let what = match (device.filesystem.as_str(), device.kind.as_str()) {
                ("", "disk") => table,
                ("", "part") => of_partition,
                ("", kind) => Some(kind.to_owned()),
                (filesystem, _) => Some(filesystem.to_owned()),
            }?;
            line += &format!(" {what}");
            if !device.label.is_empty() {
                line += &format!(" `{}`", device.label);
            }
            if !device.mountpoints.is_empty() {
                line += &format!(", mounted at {}", device.mountpoints.join(", "));
            }
            Some(line)
        };
        self.tree().into_iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As util-linux 2.38 prints it.
    const LISTED: &str = r#"{"blockdevices": [
        {"name":"/dev/loop0", "type":"loop", "size":8192, "ro":true, "model":null, "fstype":"squashfs",
         "label":null, "pttype":null, "mountpoints":["/nix/.ro-store"]},
        {"name":"/dev/sda", "type":"disk", "size":500107862016, "ro":false, "model":"Samsung SSD ",
         "fstype":null, "label":null, "pttype":"gpt", "mountpoints":[null], "children":[
            {"name":"/dev/sda1", "type":"part", "size":1048576, "ro":false, "model":null,
             "fstype":null, "label":null, "pttype":"gpt", "mountpoints":[null]},
            {"name":"/dev/sda2", "type":"part", "size":1048576, "ro":false, "model":null,
             "fstype":"crypto_LUKS", "label":null, "pttype":"gpt", "mountpoints":[null], "children":[
                {"name":"/dev/mapper/root", "type":"crypt", "size":1048576, "ro":false, "model":null,
                 "fstype":"ext4", "label":"root", "pttype":null, "mountpoints":["/", "/nix"]}
            ]}
         ]},
        {"name":"/dev/sdb", "type":"disk", "size":512, "ro":false, "model":null, "fstype":null,
         "label":null, "pttype":null, "mountpoints":[null]}
    ]}"#;

    #[test]
    fn what_is_on_a_disk_is_read_through_all_that_is_built_on_it() {
        let all = BlockDevice::all(LISTED).unwrap();
        let [_, full, empty] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((full.model.as_str(), full.size), ("Samsung SSD", 500_107_862_016));
        assert_eq!(full.mounted(), ["/", "/nix"]);
        assert_eq!(
            full.contents(),
            [
                "/dev/sda a gpt table",
                "/dev/sda1 a partition",
                "/dev/sda2 crypto_LUKS",
                "/dev/mapper/root ext4 `root`, mounted at /, /nix",
            ]
        );
        assert_eq!((empty.contents(), empty.mounted()), (Vec::new(), Vec::new()));
        assert_eq!(full.find("/dev/mapper/root").map(|it| it.kind.as_str()), Some("crypt"));
        assert_eq!(empty.find("/dev/sda"), None);
    }

    #[test]
    fn one_mount_point_is_read_as_several_are() {
        let one = r#"{"blockdevices": [{"name":"/dev/sda", "type":"disk", "size":1, "ro":true,
            "mountpoint":"/mnt"}]}"#;
        let all = BlockDevice::all(one).unwrap();
        assert_eq!((all[0].mounted(), all[0].read_only), (vec!["/mnt"], true));
        assert!(BlockDevice::all("lsblk: unknown column").is_err());
    }
}
