//! Which chunks a base has, and where.

use std::{
    collections::HashMap,
    io::{self, Read},
};

use crate::{
    bytes::wrong,
    chunks::{self, ChunkSize, Chunker},
    references::References,
};

/// The bytes of one chunk in an encoded index: a hash, and a length less one.
pub const ENTRY: usize = 10;

/// The most bytes of an encoded index: of more chunks than the largest base has.
const MOST: usize = 4 << 20;

/// Where a run of chunks is in the base's stream without references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number in the index.
    pub chunk: usize,
    /// Its first byte.
    pub offset: u64,
    /// Its bytes.
    pub length: u32,
}

/// The chunks of a base.
#[derive(Debug, PartialEq, Eq)]
pub struct Index {
    size: ChunkSize,
    entries: Vec<(u64, u64, u32)>,
    by_hash: HashMap<u64, usize>,
}

impl Index {
    /// Reads an index of a base with so many bytes.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn read(base: u64, bytes: &[u8]) -> io::Result<Self> {
        if !bytes.len().is_multiple_of(ENTRY) || bytes.len() > MOST {
            return Err(wrong("an index has another length"));
        }
        let mut offset = 0;
        let mut entries = Vec::with_capacity(bytes.len() / ENTRY);
        for entry in bytes.chunks_exact(ENTRY) {
            let (hash, length) = entry.split_at(8);
            let hash = u64::from_le_bytes(hash.try_into().expect("eight bytes"));
            let length = u32::from(u16::from_le_bytes([length[0], length[1]])) + 1;
            entries.push((hash, offset, length));
            offset += u64::from(length);
        }
        let by_hash = entries.iter().enumerate().map(|(at, entry)| (entry.0, at)).collect();
        Ok(Self { size: ChunkSize::of(base), entries, by_hash })
    }

    /// The size of its chunks.
    pub fn size(&self) -> ChunkSize {
        self.size
    }

    /// Where the base has this chunk; behind the chunk `after`, if it is there too.
    pub fn find(&self, chunk: &[u8], after: Option<usize>) -> Option<Place> {
        let hash = short_hash(chunk);
        let next = after.map(|after| after + 1);
        let next = next.filter(|next| self.entries.get(*next).is_some_and(|it| it.0 == hash));
        let number = next.or_else(|| self.by_hash.get(&hash).copied())?;
        let (_, offset, length) = self.entries[number];
        (length as usize == chunk.len()).then_some(Place { chunk: number, offset, length })
    }
}

/// Makes the encoded index of an archive, and gives it in parts. `each` may end it by an error.
///
/// # Errors
/// When the archive cannot be read, or what `each` returns.
pub fn make(
    archive: &mut impl Read,
    length: u64,
    references: &References,
    mut each: impl FnMut(&[u8], &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut remover = references.remover();
    let mut chunker = Chunker::new(ChunkSize::of(length));
    let mut piece = vec![0; 256 << 10];
    let (mut plain, mut entries) = (Vec::new(), Vec::new());
    loop {
        let read = archive.read(&mut piece)?;
        plain.clear();
        entries.clear();
        let mut add = |chunk: &[u8]| {
            entries.extend_from_slice(&short_hash(chunk).to_le_bytes());
            let length = u16::try_from(chunk.len() - 1).expect("a chunk has 64 KiB at most");
            entries.extend_from_slice(&length.to_le_bytes());
        };
        if read > 0 {
            remover.push(&piece[..read], &mut plain);
            chunker.push(&plain, &mut add);
        } else {
            remover.flush(&mut plain);
            chunker.push(&plain, &mut add);
            chunker.finish(&mut add);
        }
        each(&piece[..read], &entries)?;
        if read == 0 {
            return Ok(());
        }
    }
}

/// What tells chunks apart in an index. Each run that is copied is compared by its whole hash.
#[expect(clippy::cast_possible_truncation, reason = "half of the hash")]
fn short_hash(chunk: &[u8]) -> u64 {
    chunks::hash(chunk) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_finds_what_the_base_has_and_prefers_what_comes_next() {
        let base: Vec<u8> =
            (0..9000_u32).flat_map(|n| (n % 3000).wrapping_mul(n | 1).to_le_bytes()).collect();
        let mut encoded = Vec::new();
        let length = base.len() as u64;
        let mut read = 0;
        make(&mut &base[..], length, &References::default(), |piece, entries| {
            read += piece.len();
            encoded.extend_from_slice(entries);
            Ok(())
        })
        .unwrap();
        assert_eq!(read, base.len());
        let index = Index::read(length, &encoded).unwrap();
        let mut at = 0;
        let mut chunker = Chunker::new(index.size());
        let mut found = Vec::new();
        chunker.push(&base, |chunk| found.push(chunk.to_vec()));
        chunker.finish(|chunk| found.push(chunk.to_vec()));
        for (number, chunk) in found.iter().enumerate() {
            let place = index.find(chunk, number.checked_sub(1)).unwrap();
            if number > 0 {
                assert_eq!((place.chunk, place.offset), (number, at));
            }
            at += chunk.len() as u64;
        }
        assert_eq!(index.find(b"something else", None), None);
        assert!(Index::read(length, &encoded[1..]).is_err());
        assert!(Index::read(length, &vec![0; MOST + ENTRY]).is_err());
    }
}
