//! The stream of a path without its references.
//!
//! Each hash of a path that it refers to, its own too, is replaced by a placeholder of the same
//! length, which depends on that path's name. Two builds of the same sources then have the same
//! stream, although each hash in them is another one. The position in the list of references would
//! not do: Nix sorts the list by the hashes.

use std::collections::{BTreeSet, HashMap};

use deploy_wire::store_path::StorePath;
use sha2::{Digest, Sha256};

/// The characters of a hash in a store path.
pub const HASH: usize = 32;

/// The characters of Nix's base 32.
const BASE_32: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// Which bytes are of Nix's base 32.
static IS_BASE_32: [bool; 256] = {
    let mut is = [false; 256];
    let mut at = 0;
    while at < BASE_32.len() {
        is[BASE_32[at] as usize] = true;
        at += 1;
    }
    is
};

/// A hash or a placeholder.
type Part = [u8; HASH];

/// The hashes that a path contains, with their placeholders.
#[derive(Debug, Clone, Default)]
pub struct References(Vec<(Part, Part)>);

impl References {
    /// Collects the hashes in `path`, which refers to `others`. Of several with the same name, which
    /// are rare, the order of their hashes tells which is which; two builds may differ in it, and in
    /// the chunks that name them.
    pub fn of(path: &StorePath, others: &[StorePath]) -> Self {
        let mut parts = vec![(part(path), placeholder("self", 0))];
        let others: BTreeSet<(&str, &StorePath)> = others
            .iter()
            .filter(|other| *other != path)
            .map(|other| (other.name(), other))
            .collect();
        let mut before = ("", 0);
        for (name, other) in others {
            let number = if before.0 == name { before.1 + 1 } else { 0 };
            before = (name, number);
            parts.push((part(other), placeholder(&format!("path {name}"), number)));
        }
        Self(parts)
    }

    /// What replaces the hashes by their placeholders.
    pub fn remover(&self) -> Rewriter {
        Rewriter::new(self.0.iter().copied().collect())
    }

    /// What puts the hashes back.
    pub fn restorer(&self) -> Rewriter {
        Rewriter::new(self.0.iter().map(|(hash, placeholder)| (*placeholder, *hash)).collect())
    }
}

fn part(path: &StorePath) -> Part {
    path.hash().as_bytes().try_into().expect("a store path has a hash of 32 characters")
}

fn placeholder(of: &str, number: u32) -> Part {
    let digest = Sha256::digest(format!("placeholder {number} of {of}"));
    std::array::from_fn(|at| BASE_32[usize::from(digest[at] & 31)])
}

/// Replaces parts of a stream by others of the same length, wherever the stream is cut.
#[derive(Debug, Default)]
pub struct Rewriter {
    by: HashMap<Part, Part>,
    /// The end of what came, which may be the beginning of a part. Shorter than a part.
    held: Vec<u8>,
}

impl Rewriter {
    fn new(by: HashMap<Part, Part>) -> Self {
        Self { by, held: Vec::new() }
    }

    /// Takes the stream's next bytes, and appends to `to` what is decided.
    pub fn push(&mut self, bytes: &[u8], to: &mut Vec<u8>) {
        let begin = to.len();
        to.append(&mut self.held);
        to.extend_from_slice(bytes);
        let decided = begin + self.rewrite(&mut to[begin..]);
        self.held.extend_from_slice(&to[decided..]);
        to.truncate(decided);
    }

    /// Appends the rest. The stream ends here, or no part crosses this place.
    pub fn flush(&mut self, to: &mut Vec<u8>) {
        to.append(&mut self.held);
    }

    /// Rewrites in place; returns how many bytes are decided.
    fn rewrite(&self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        while let Some(window) = bytes.get_mut(at..at + HASH) {
            // From the end, so that most windows are skipped with one look.
            if let Some(other) = window.iter().rposition(|byte| !IS_BASE_32[usize::from(*byte)]) {
                at += other + 1;
                continue;
            }
            let found = <&Part>::try_from(&*window).ok().and_then(|window| self.by.get(window));
            match found {
                Some(part) => {
                    window.copy_from_slice(part);
                    at += HASH;
                }
                None => at += 1,
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(hash: char, name: &str) -> StorePath {
        StorePath::parse(&format!("/nix/store/{}-{name}", hash.to_string().repeat(HASH))).unwrap()
    }

    fn rewritten(mut rewriter: Rewriter, bytes: &[u8], cut: usize) -> Vec<u8> {
        let mut to = Vec::new();
        bytes.chunks(cut.max(1)).for_each(|piece| rewriter.push(piece, &mut to));
        rewriter.flush(&mut to);
        to
    }

    #[test]
    fn two_builds_that_differ_in_hashes_alone_are_the_same_stream() {
        // The order of the hashes is not that of the names.
        let first = (path('a', "hello"), [path('b', "libc"), path('c', "libx")]);
        let second = (path('z', "hello"), [path('y', "libc"), path('x', "libx")]);
        let stream = |(own, others): &(StorePath, [StorePath; 2])| {
            let text = format!("x{own}/bin..{}/lib{}{own}", others[0], others[1]);
            rewritten(References::of(own, others).remover(), text.as_bytes(), 7)
        };
        assert_eq!(stream(&first), stream(&second));
        assert!(!stream(&first).windows(4).any(|four| four == b"aaaa" || four == b"bbbb"));
    }

    #[test]
    fn references_of_one_name_are_told_apart() {
        let own = path('a', "hello");
        let others = [path('b', "source"), path('c', "source"), own.clone()];
        let text = format!("{}{}", others[0], others[1]);
        let references = References::of(&own, &others);
        let removed = rewritten(references.remover(), text.as_bytes(), 100);
        assert_eq!(rewritten(references.restorer(), &removed, 100), text.as_bytes());
        assert_eq!(references.0.len(), 3);
    }

    proptest! {
        #[test]
        fn what_is_removed_comes_back_wherever_the_stream_is_cut(
            pieces in proptest::collection::vec(
                prop_oneof![
                    proptest::collection::vec(any::<u8>(), 0..70),
                    "[0-9a-d]{0,70}".prop_map(String::into_bytes),
                    (0..3_usize).prop_map(|which| [b"a", b"b", b"c"][which].repeat(HASH)),
                ],
                0..20,
            ),
            cuts in (1..100_usize, 1..100_usize),
        ) {
            let own = path('a', "hello");
            let references = References::of(&own, &[path('b', "libc"), path('c', "libx")]);
            let text = pieces.concat();
            let removed = rewritten(references.remover(), &text, cuts.0);
            prop_assert_eq!(&removed, &rewritten(references.remover(), &text, usize::MAX));
            prop_assert_eq!(rewritten(references.restorer(), &removed, cuts.1), text);
        }
    }
}
