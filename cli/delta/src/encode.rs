//! A path as tokens: what its base has, and the rest.

use twox_hash::xxhash3_128::Hasher;

use crate::{
    chunks::Chunker,
    index::Index,
    references::{References, Rewriter},
    token::{Copied, RUN, Token},
};

/// The most bytes of text that are kept before they are sent.
const TEXT: usize = 64 << 10;

/// Makes the tokens of one path.
pub struct PathEncoder<'i> {
    remover: Rewriter,
    chunker: Chunker,
    found: Found<'i>,
    plain: Vec<u8>,
}

/// Chunks that are not sent yet: either a run that the base has, or text.
struct Found<'i> {
    index: &'i Index,
    run: Option<Run>,
    text: Vec<u8>,
    /// The bytes that the base has.
    reused: u64,
}

struct Run {
    offset: u64,
    length: u32,
    /// The number of the last chunk.
    last: usize,
    hash: Hasher,
}

impl<'i> PathEncoder<'i> {
    /// Begins a path with these references, beside a base with this index.
    pub fn new(references: &References, index: &'i Index) -> Self {
        Self {
            remover: references.remover(),
            chunker: Chunker::new(index.size()),
            found: Found { index, run: None, text: Vec::new(), reused: 0 },
            plain: Vec::new(),
        }
    }

    /// Takes the archive's next bytes, and appends the tokens that are ready.
    pub fn push(&mut self, archive: &[u8], to: &mut Vec<u8>) {
        self.plain.clear();
        self.remover.push(archive, &mut self.plain);
        let found = &mut self.found;
        self.chunker.push(&self.plain, |chunk| found.add(chunk, to));
    }

    /// Appends the rest. Returns the bytes that the base has.
    pub fn finish(mut self, to: &mut Vec<u8>) -> u64 {
        self.plain.clear();
        self.remover.flush(&mut self.plain);
        let found = &mut self.found;
        self.chunker.push(&self.plain, |chunk| found.add(chunk, to));
        self.chunker.finish(|chunk| found.add(chunk, to));
        found.end_text(to);
        found.end_run(to);
        found.reused
    }
}

impl Found<'_> {
    fn add(&mut self, chunk: &[u8], to: &mut Vec<u8>) {
        let after = self.run.as_ref().map(|run| run.last);
        let Some(place) = self.index.find(chunk, after) else {
            self.end_run(to);
            self.text.extend_from_slice(chunk);
            if self.text.len() >= TEXT {
                self.end_text(to);
            }
            return;
        };
        self.end_text(to);
        let goes_on = |run: &Run| {
            run.offset + u64::from(run.length) == place.offset && run.length + place.length <= RUN
        };
        if !self.run.as_ref().is_some_and(goes_on) {
            self.end_run(to);
        }
        let run = self.run.get_or_insert_with(|| Run {
            offset: place.offset,
            length: 0,
            last: place.chunk,
            hash: Hasher::new(),
        });
        run.hash.write(chunk);
        run.length += place.length;
        run.last = place.chunk;
        self.reused += u64::from(place.length);
    }

    fn end_run(&mut self, to: &mut Vec<u8>) {
        if let Some(Run { offset, length, hash, .. }) = self.run.take() {
            Token::Copy(Copied { offset, length, hash: hash.finish_128() }).write(to);
        }
    }

    fn end_text(&mut self, to: &mut Vec<u8>) {
        if !self.text.is_empty() {
            Token::Text(std::mem::take(&mut self.text)).write(to);
        }
    }
}
