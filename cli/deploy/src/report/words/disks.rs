//! Disks and images as text.

use super::quantities::bytes;
use crate::{
    iso::flash::FlashStep,
    report::{
        DiskShown, VolumeShown,
        line::{Line, Tone},
    },
};

/// A disk, and what is on it.
pub fn disk(disk: &DiskShown) -> Vec<Line> {
    let head = format!("{}: {}, {}", disk.device, disk.model, bytes(disk.bytes));
    let volumes = disk.volumes.iter().map(volume);
    let volumes = match disk.volumes.is_empty() {
        true => vec![Line::plain("  no partition on it is known")],
        false => volumes.collect(),
    };
    std::iter::once(Line::plain(head)).chain(volumes).collect()
}

fn volume(volume: &VolumeShown) -> Line {
    let kind = volume.kind.as_ref().map(|kind| format!(", {kind}")).unwrap_or_default();
    let label = volume.label.as_ref().map(|label| format!(" `{label}`")).unwrap_or_default();
    let mounted = match volume.mounted.as_slice() {
        [] => String::new(),
        folders => format!(", mounted at {}", folders.join(", ")),
    };
    Line::plain(format!("  {}: {}{kind}{label}{mounted}", volume.name, bytes(volume.bytes)))
}

/// An image that was built.
pub fn image(machine: &str, path: &str, count: u64, sha256: &str) -> Vec<Line> {
    let text = format!("{machine}: {path} ({})", bytes(count));
    vec![Line::plain(text), Line::plain(format!("  SHA-256 {sha256}"))]
}

/// The end of a flash.
pub fn flashed(device: &str, count: u64) -> Vec<Line> {
    let text = format!("{device}: has the image ({}), read back and compared", bytes(count));
    vec![Line::with(text, Tone::Good, "has the image")]
}

/// The name of a step in progress.
pub fn flash_word(step: FlashStep) -> &'static str {
    match step {
        FlashStep::Write => "writing",
        FlashStep::Compare => "comparing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_shown_with_what_would_be_lost() {
        let part = VolumeShown {
            name: "sdb1".into(),
            bytes: 3 << 30,
            kind: Some("vfat".into()),
            label: Some("DATA".into()),
            mounted: vec!["/media/data".into()],
        };
        let mut shown = DiskShown {
            device: "/dev/sdb".into(),
            model: "SanDisk Ultra".into(),
            bytes: 4 << 30,
            volumes: vec![part],
        };
        let text = |shown: &DiskShown| {
            let lines = disk(shown);
            let lines: Vec<_> = lines.iter().map(|line| line.text().as_str().to_owned()).collect();
            lines.join("\n")
        };
        assert_eq!(
            text(&shown),
            "/dev/sdb: SanDisk Ultra, 4.0 GiB\n  sdb1: 3.0 GiB, vfat `DATA`, mounted at /media/data"
        );
        shown.volumes.clear();
        assert!(text(&shown).ends_with("no partition on it is known"));
    }
}
