//! A disk, and whether it may be overwritten.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::{Failure, Result};

/// A whole disk of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDisk {
    /// Its name, as `sdb` or `disk4`.
    pub name: String,
    /// Its file, as `/dev/sdb`.
    pub node: PathBuf,
    /// The file that is written, as `/dev/rdisk4`.
    pub raw: PathBuf,
    /// What its manufacturer calls it.
    pub model: String,
    /// Its size in bytes; 0 where there is no medium.
    pub bytes: u64,
    /// Whether it can be taken away: a stick, a card, a disk on a cable.
    pub removable: bool,
    /// Whether it refuses writes.
    pub read_only: bool,
    /// What is on it: its partitions, and the disk itself where it has none.
    pub volumes: Vec<Volume>,
    /// What this computer needs it for, if it does.
    pub needed_for: Option<String>,
    /// What is built on it: RAID, encryption, LVM.
    pub holders: Vec<String>,
    /// A number that another disk in the same place has not.
    pub sequence: Option<String>,
}

/// A partition, or a whole disk with a file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Volume {
    /// Its name, as `sdb1`.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The kind of file system, if known.
    pub kind: Option<String>,
    /// The file system's name, if it has one.
    pub label: Option<String>,
    /// The folders that it is mounted at.
    pub mounted: Vec<PathBuf>,
}

impl FoundDisk {
    /// Whether it is shown as one to choose: it can be taken away, and has a medium.
    pub fn is_offered(&self) -> bool {
        self.removable && self.bytes > 0 && self.needed_for.is_none()
    }

    /// Refuses a disk that must not be overwritten, or that does not hold `image`. A disk that is
    /// only mounted is unmounted later.
    pub fn refuse_unless_usable(&self, image: u64) -> Result<()> {
        let refused = || Failure::unchanged(format!("{} is not overwritten", self.node.display()));
        if let Some(what) = &self.needed_for {
            return Err(refused().because(format!("this computer needs it for {what}")));
        }
        if !self.removable {
            return Err(refused()
                .because(format!("{} is no removable disk", self.model))
                .hint(Some("deploy iso --flash lists those that are".into())));
        }
        if !self.holders.is_empty() {
            let holders = self.holders.join(", ");
            return Err(refused().because(format!("{holders} is open on it")).hint(Some(
                "close it first: cryptsetup close, vgchange -an, mdadm --stop".into(),
            )));
        }
        if self.read_only {
            return Err(refused()
                .because("it is read-only")
                .hint(Some("does the stick or the card have a switch against writing?".into())));
        }
        if self.bytes == 0 {
            return Err(refused().because("there is no medium in it"));
        }
        if self.bytes < image {
            return Err(refused().because(format!(
                "it has {} bytes, and the image has {image}: {} MiB too few",
                self.bytes,
                (image - self.bytes).div_ceil(1 << 20)
            )));
        }
        Ok(())
    }

    /// Refuses a disk that this user may not write, before anything is asked or unmounted.
    pub fn refuse_without_permission(&self) -> Result<()> {
        let Err(error) = access(&self.raw, Access::WRITE_OK) else { return Ok(()) };
        let node = self.node.display();
        Err(Failure::unchanged(format!("{node} is not overwritten"))
            .because(std::io::Error::from(error))
            .hint(Some(format!(
                "as root, with an image that is there: sudo deploy iso --flash {node} --image FILE"
            ))))
    }

    /// Refuses an image that is on the disk itself.
    pub fn refuse_own_image(&self, image: &Path) -> Result<()> {
        let folders = self.volumes.iter().flat_map(|volume| &volume.mounted);
        match folders.into_iter().find(|folder| image.starts_with(folder)) {
            None => Ok(()),
            Some(folder) => {
                Err(Failure::unchanged(format!("{} is not overwritten", self.node.display()))
                    .because(format!("the image is on it, below {}", folder.display()))
                    .hint(Some("copy the image elsewhere first".into())))
            }
        }
    }
}

/// The disk that a word of the command line means: `sdb`, `/dev/sdb`, or a link to it.
pub fn named<'d>(disks: &'d [FoundDisk], word: &Path) -> Result<&'d FoundDisk> {
    let path = word.canonicalize().unwrap_or_else(|_| word.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let raw = |disk: &FoundDisk| disk.raw.file_name().is_some_and(|raw| raw == name.as_str());
    if let Some(disk) = disks.iter().find(|disk| disk.name == name || raw(disk)) {
        return Ok(disk);
    }
    let has = |disk: &&FoundDisk| disk.volumes.iter().any(|volume| volume.name == name);
    if let Some(disk) = disks.iter().find(has) {
        let whole = disk.node.display();
        return Err(Failure::unchanged(format!("{} is not overwritten", word.display()))
            .because(format!("it is a partition of {whole}, and an image needs the whole disk"))
            .hint(Some(format!("deploy iso --flash {whole} overwrites all that is on it"))));
    }
    let offered = disks.iter().filter(|disk| disk.is_offered());
    let offered: Vec<String> = offered.map(|disk| disk.node.display().to_string()).collect();
    Err(Failure::unchanged(format!("{} is no disk of this computer", word.display())).hint(Some(
        match offered.as_slice() {
            [] => "no removable disk is here: is the stick plugged in?".to_owned(),
            some => format!("removable disks: {}", some.join(", ")),
        },
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stick() -> FoundDisk {
        FoundDisk {
            name: "sdb".into(),
            node: "/dev/sdb".into(),
            raw: "/dev/sdb".into(),
            model: "SanDisk Ultra".into(),
            bytes: 64 << 20,
            removable: true,
            read_only: false,
            volumes: vec![Volume {
                name: "sdb1".into(),
                bytes: 63 << 20,
                kind: Some("vfat".into()),
                label: Some("DATA".into()),
                mounted: vec!["/media/data".into()],
            }],
            needed_for: None,
            holders: Vec::new(),
            sequence: None,
        }
    }

    fn refused(change: impl FnOnce(&mut FoundDisk)) -> String {
        let mut disk = stick();
        change(&mut disk);
        let refused = disk.refuse_unless_usable(60 << 20).unwrap_err().to_string();
        assert!(refused.starts_with("error: /dev/sdb is not overwritten"), "{refused}");
        assert!(refused.contains("nothing was changed"), "{refused}");
        refused
    }

    #[test]
    fn a_disk_that_must_not_be_overwritten_is_refused_with_the_reason() {
        assert_eq!(stick().refuse_unless_usable(64 << 20), Ok(()));
        let needed = refused(|disk| disk.needed_for = Some("/, /boot".into()));
        assert!(needed.contains("this computer needs it for /, /boot"), "{needed}");
        let fixed = refused(|disk| disk.removable = false);
        assert!(fixed.contains("SanDisk Ultra is no removable disk"), "{fixed}");
        let open = refused(|disk| disk.holders = vec!["dm-0".into()]);
        assert!(open.contains("dm-0 is open on it"), "{open}");
        assert!(refused(|disk| disk.read_only = true).contains("read-only"));
        assert!(refused(|disk| disk.bytes = 0).contains("no medium"));
        let small = refused(|disk| disk.bytes = (60 << 20) - 1);
        assert!(small.contains("1 MiB too few"), "{small}");
    }

    #[test]
    fn a_disk_that_cannot_be_written_is_refused_before_the_question() {
        let mut disk = stick();
        disk.raw = "/dev/null/none".into();
        let refused = disk.refuse_without_permission().unwrap_err().to_string();
        assert!(refused.contains("sudo deploy iso --flash /dev/sdb --image FILE"), "{refused}");
        disk.raw = "/dev/null".into();
        assert_eq!(disk.refuse_without_permission(), Ok(()));
    }

    #[test]
    fn an_image_on_the_disk_itself_is_refused() {
        assert_eq!(stick().refuse_own_image(Path::new("/home/joe/installer.iso")), Ok(()));
        let own = stick().refuse_own_image(Path::new("/media/data/installer.iso")).unwrap_err();
        assert!(own.to_string().contains("below /media/data"), "{own}");
    }

    #[test]
    fn a_word_means_a_whole_disk() {
        let disks = [stick()];
        for word in ["sdb", "/dev/sdb"] {
            assert_eq!(named(&disks, Path::new(word)).unwrap().name, "sdb");
        }
        let partition = named(&disks, Path::new("/dev/sdb1")).unwrap_err().to_string();
        assert!(partition.contains("it is a partition of /dev/sdb"), "{partition}");
        let unknown = named(&disks, Path::new("/dev/sdz")).unwrap_err().to_string();
        assert!(unknown.contains("is no disk of this computer"), "{unknown}");
        assert!(unknown.contains("removable disks: /dev/sdb"), "{unknown}");
        let none = named(&[], Path::new("/dev/sdz")).unwrap_err().to_string();
        assert!(none.contains("is the stick plugged in?"), "{none}");
    }
}
