//! Documents on a machine's disk, with a checksum. A flipped bit can turn a document into another
//! valid one, and files that decide over a boot must not be guessed.
//!
//! One line follows the document: its SHA-256 as a JSON string. Documents of version 1 have none.

use std::fmt::Write;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The version of the record and of the confirmed system. Version 1 can be read as well.
pub const VERSION: u32 = 2;

const BEFORE: &[u8] = b"\"sha256:";
const AFTER: &[u8] = b"\"";
/// The length of the checksum's line without its line end: SHA-256 as 64 hexadecimal digits.
const LENGTH: usize = BEFORE.len() + 64 + AFTER.len();

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    /// The bytes differ from those that were written.
    #[error("it is damaged: checksum mismatch")]
    Damaged,
    /// The checksum is missing.
    #[error("it is truncated or damaged: it has no checksum")]
    NoChecksum,
    /// A newer release wrote the document. Its unknown fields are no damage.
    #[error("a newer deploy wrote it (version {0}, this one reads {VERSION})")]
    Newer(u64),
    /// The text is no such document.
    #[error("{0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Serializes a document with its checksum.
pub fn seal(document: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    let line = line(&text);
    text.extend(line);
    text.push(b'\n');
    Ok(text)
}

/// Reads a document that [`seal`] wrote. It detects every flipped bit:
/// `every_flipped_bit_of_a_sealed_document_is_noticed` proves it.
pub fn open<T: DeserializeOwned>(file: &[u8]) -> Result<T, NotSealed> {
    let text = match split_checksum(file) {
        Some((text, found)) if line(text) == found => text,
        Some(_) => return Err(NotSealed::Damaged),
        None => {
            let document: Value = serde_json::from_slice(file)?;
            match version(&document) {
                0 | 1 => file,
                found if found > u64::from(VERSION) => return Err(NotSealed::Newer(found)),
                _ => return Err(NotSealed::NoChecksum),
            }
        }
    };
    serde_json::from_slice(text).map_err(|error| {
        let found = serde_json::from_slice(text).map(|document| version(&document));
        match found {
            Ok(found) if found > u64::from(VERSION) => NotSealed::Newer(found),
            _ => NotSealed::Unreadable(error),
        }
    })
}

fn version(document: &Value) -> u64 {
    document["version"].as_u64().unwrap_or(0)
}

/// Splits a file into the document and the line with the checksum, if there is one.
fn split_checksum(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let file = file.strip_suffix(b"\n").unwrap_or(file);
    let (text, line) = file.split_at_checked(file.len().checked_sub(LENGTH)?)?;
    line.starts_with(BEFORE).then_some((text, line))
}

fn line(text: &[u8]) -> Vec<u8> {
    let mut line = String::from_utf8_lossy(BEFORE).into_owned();
    for byte in Sha256::digest(text) {
        write!(line, "{byte:02x}").expect("a string takes what is written");
    }
    line.push('"');
    line.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_sealed_is_read_and_a_part_of_it_is_not() {
        let document = json!({ "version": VERSION, "a": [1, 2] });
        let file = seal(&document).unwrap();
        assert_eq!(open::<Value>(&file).unwrap(), document);
        for length in 0..file.len() - 1 {
            assert!(open::<Value>(&file[..length]).is_err(), "{length} bytes were read");
        }
    }

    #[test]
    fn version_1_has_no_checksum_and_later_ones_have() {
        assert_eq!(open::<Value>(br#"{"version":1}"#).unwrap(), json!({ "version": 1 }));
        let read = open::<Value>(br#"{"version":2}"#);
        assert!(matches!(read, Err(NotSealed::NoChecksum)), "{read:?}");
    }

    #[test]
    fn what_a_newer_release_wrote_is_no_damage() {
        let document = json!({ "version": 3, "more": 1 });
        for file in [seal(&document).unwrap(), document.to_string().into_bytes()] {
            let read = open::<crate::record::Record>(&file);
            assert!(matches!(read, Err(NotSealed::Newer(3))), "{read:?}");
        }
    }
}
