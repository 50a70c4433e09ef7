//! The file of an image that `deploy` overwrites in the copy: `/deploy/wifi`.
//!
//! Its place and size are those that the image was built with, so that nothing else of the image
//! changes: no boot record, no table of partitions, no folder.
//! `wifi_changes_the_reserved_file_and_nothing_else` proves it on an image that xorriso made.

use std::{fs::File, io, os::unix::fs::FileExt};

use zeroize::Zeroizing;

/// The unit of places in an image.
const SECTOR: u64 = 2048;

/// Where the volume's description is.
const DESCRIPTION: u64 = 16 * SECTOR;

/// The beginning of a reserved file that nobody has overwritten. machines/installer-iso/wifi.nix has
/// the same.
const UNUSED: &[u8] = b"# reserved for deploy iso\n";

/// A folder that is larger is none of NixOS's images.
const LARGEST_FOLDER: u32 = 1 << 20;

/// Text for the reserved file of an image.
#[derive(Debug)]
pub struct Filled {
    at: u64,
    bytes: Zeroizing<Vec<u8>>,
}

/// A file or folder as the image lists it.
#[derive(Debug, Clone, Copy)]
struct Extent {
    sector: u32,
    bytes: u32,
}

impl Filled {
    /// `text` for the reserved file, which is filled up with line ends. The error says what the image
    /// lacks.
    pub fn new(image: &File, text: &[u8]) -> Result<Self, String> {
        let failed = |error: io::Error| error.to_string();
        let mut record = [0; 34];
        image.read_exact_at(&mut record, DESCRIPTION + 156).map_err(failed)?;
        let mut kind = [0; 6];
        image.read_exact_at(&mut kind, DESCRIPTION).map_err(failed)?;
        if &kind != b"\x01CD001" {
            return Err("it is no ISO 9660 image".into());
        }
        let root = extent(&record).ok_or("its root folder is damaged")?;
        let lacks = || "it has no file deploy/wifi".to_owned();
        let folder = entry(image, root, "DEPLOY").map_err(failed)?.ok_or_else(lacks)?;
        let file = entry(image, folder, "WIFI").map_err(failed)?.ok_or_else(lacks)?;
        let at = u64::from(file.sector) * SECTOR;
        let mut first = [0; UNUSED.len()];
        image.read_exact_at(&mut first, at).map_err(failed)?;
        if first != UNUSED {
            return Err("its file deploy/wifi is not reserved for this".into());
        }
        let room = usize::try_from(file.bytes).unwrap_or_default();
        if text.len() > room {
            return Err(format!(
                "its file deploy/wifi has {room} bytes, and {} are needed",
                text.len()
            ));
        }
        let mut bytes = Zeroizing::new(vec![b'\n'; room]);
        bytes[..text.len()].copy_from_slice(text);
        Ok(Self { at, bytes })
    }

    /// Overwrites the part of a piece of the image, which begins at `from`, that is in the file.
    pub fn fill(&self, piece: &mut [u8], from: u64) {
        let until = from + piece.len() as u64;
        let (begin, end) = (self.at.max(from), (self.at + self.bytes.len() as u64).min(until));
        let index = |at: u64, base: u64| usize::try_from(at - base).unwrap_or_default();
        if begin < end {
            let own = &self.bytes[index(begin, self.at)..index(end, self.at)];
            piece[index(begin, from)..index(end, from)].copy_from_slice(own);
        }
    }
}

/// What a folder has under a name, whatever its case, and without `.` and the version at its end.
fn entry(image: &File, folder: Extent, name: &str) -> io::Result<Option<Extent>> {
    if folder.bytes > LARGEST_FOLDER {
        return Ok(None);
    }
    let mut list = vec![0; usize::try_from(folder.bytes).unwrap_or_default()];
    image.read_exact_at(&mut list, u64::from(folder.sector) * SECTOR)?;
    // No record goes over the end of a sector; what is left of it is empty.
    for sector in list.chunks(usize::try_from(SECTOR).unwrap_or(2048)) {
        let mut rest = sector;
        while let Some(&length) = rest.first().filter(|length| **length > 0) {
            let Some((record, more)) = rest.split_at_checked(usize::from(length)) else { break };
            rest = more;
            let Some(&letters) = record.get(32) else { break };
            let own = record.get(33..33 + usize::from(letters)).unwrap_or_default();
            let own = String::from_utf8_lossy(own);
            let own = own.split(';').next().unwrap_or_default().trim_end_matches('.');
            if own.eq_ignore_ascii_case(name) {
                return Ok(extent(record));
            }
        }
    }
    Ok(None)
}

/// The place in a record of a folder.
fn extent(record: &[u8]) -> Option<Extent> {
    let number = |at: usize| {
        let bytes: [u8; 4] = record.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    Some(Extent { sector: number(2)?, bytes: number(10)? })
}

#[cfg(test)]
mod tests;
