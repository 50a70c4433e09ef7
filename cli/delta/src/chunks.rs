//! Chunks of a stream, cut by its content: an insertion moves the cuts behind it along.

use fastcdc::v2020::{Normalization, cut, select_masks};
use twox_hash::XxHash3_128;

/// How large chunks are. Both ends cut with the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkSize {
    /// What chunks have on average, in bytes: a power of two.
    average: usize,
}

/// Chunks of 1 KiB find most in a program that was built again; in Debian's security updates half
/// that size found 1 % more, twice that size 4 % less, and each chunk costs 10 bytes of an index.
const SMALL: ChunkSize = ChunkSize { average: 1 << 10 };

const MIDDLE: ChunkSize = ChunkSize { average: 8 << 10 };

/// The largest chunk is four times the average, which fits into 16 bits.
const LARGE: ChunkSize = ChunkSize { average: 16 << 10 };

impl ChunkSize {
    /// The size for a base with so many bytes: an index has 65 thousand chunks up to a gigabyte.
    pub fn of(base: u64) -> Self {
        match base >> 20 {
            0..64 => SMALL,
            64..512 => MIDDLE,
            _ => LARGE,
        }
    }

    /// The most bytes of a chunk.
    pub fn most(self) -> usize {
        self.average * 4
    }
}

/// Cuts a stream into chunks.
#[derive(Debug)]
pub struct Chunker {
    size: ChunkSize,
    held: Vec<u8>,
}

impl Chunker {
    /// Begins a stream.
    pub fn new(size: ChunkSize) -> Self {
        Self { size, held: Vec::new() }
    }

    /// Takes the stream's next bytes, and gives each chunk that is whole.
    pub fn push(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) {
        self.held.extend_from_slice(bytes);
        self.cut(self.size.most(), each);
    }

    /// Gives the chunks of the rest, where the stream ends.
    pub fn finish(&mut self, each: impl FnMut(&[u8])) {
        self.cut(1, each);
    }

    /// Gives chunks while so many bytes are left that none of them depends on more.
    fn cut(&mut self, least: usize, mut each: impl FnMut(&[u8])) {
        let ChunkSize { average } = self.size;
        let (strict, loose) = select_masks(average, Normalization::Level1);
        let mut rest = self.held.as_slice();
        while rest.len() >= least {
            let (_, length) = cut(
                rest,
                average / 4,
                average,
                self.size.most(),
                strict,
                loose,
                strict << 1,
                loose << 1,
            );
            let (chunk, more) = rest.split_at(length.clamp(1, self.size.most().min(rest.len())));
            each(chunk);
            rest = more;
        }
        let done = self.held.len() - rest.len();
        self.held.drain(..done);
    }
}

/// The hash of a chunk, or of a run of chunks. It finds damage and chance, not malice: nothing that
/// a wrong chunk becomes a part of has the hash that `nix-daemon` compares.
pub fn hash(bytes: &[u8]) -> u128 {
    XxHash3_128::oneshot(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(bytes: &[u8], piece: usize, size: ChunkSize) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut chunker = Chunker::new(size);
        bytes.chunks(piece).for_each(|piece| chunker.push(piece, |chunk| found.push(chunk.into())));
        chunker.finish(|chunk| found.push(chunk.into()));
        found
    }

    fn noise(bytes: usize) -> Vec<u8> {
        let word = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        (1..).map(|number: u64| word(word(number)) as u8).take(bytes).collect()
    }

    #[test]
    fn cuts_do_not_depend_on_how_the_stream_arrives() {
        let bytes = noise(300_000);
        for size in [SMALL, MIDDLE, LARGE] {
            let whole = chunks(&bytes, usize::MAX, size);
            assert_eq!(whole.concat(), bytes);
            assert_eq!(chunks(&bytes, 777, size), whole);
            assert!(whole.iter().all(|chunk| chunk.len() <= size.most()));
            assert!(size.most() - 1 <= usize::from(u16::MAX));
        }
    }

    #[test]
    fn an_insertion_changes_few_chunks() {
        let mut bytes = noise(300_000);
        let before = chunks(&bytes, usize::MAX, SMALL);
        bytes.splice(1000..1000, *b"inserted");
        let after = chunks(&bytes, usize::MAX, SMALL);
        let new = after.iter().filter(|chunk| !before.contains(chunk)).count();
        assert!(before.len() > 100 && new <= 3, "{new} of {}", before.len());
    }
}
