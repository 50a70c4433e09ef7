//! What the agent sends back.

use std::io::{self, Read};

use deploy_wire::store_path::StorePath;

use crate::bytes::{array, long, path, paths, short, write_blob, write_path, write_paths, wrong};

/// A path that the machine has, for a wanted path of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The number of the wanted path.
    pub number: u32,
    /// The path.
    pub path: StorePath,
    /// What it refers to.
    pub references: Vec<StorePath>,
    /// The SHA-256 of its archive.
    pub hash: [u8; 32],
    /// The bytes of its archive.
    pub length: u64,
}

/// A message of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the daemon said.
    Daemon(Vec<u8>),
    /// The bases of the wanted paths; those without one are not named.
    Bases(Vec<Base>),
    /// The next part of the index of a base.
    Index {
        /// The number of the wanted path.
        number: u32,
        /// A part of an encoded [`crate::index::Index`].
        part: Vec<u8>,
        /// Whether it is the last one.
        last: bool,
    },
    /// A base has no index: it cannot be read. Its path is sent as a whole.
    NoIndex(u32),
    /// A copy from a base is not what it was to be. The agent ends.
    Damaged(String),
    /// Of a hundred parts of its time, how many the agent waited for the client's bytes.
    Waited(u8),
}

const DAEMON: u8 = 0;
const BASES: u8 = 1;
const INDEX: u8 = 2;
const LAST: u8 = 3;
const NO_INDEX: u8 = 4;
const DAMAGED: u8 = 5;
const WAITED: u8 = 6;

/// The most bytes of an answer. The bases of a closure are the longest.
pub const MOST: u32 = 64 << 20;

impl Answer {
    /// Reads the bytes of an answer, which come after their length in 32 bits.
    ///
    /// # Errors
    /// When they are none.
    pub fn read(mut bytes: &[u8]) -> io::Result<Self> {
        let from = &mut bytes;
        Ok(match array::<1>(from)?[0] {
            DAEMON => Self::Daemon(rest(from)),
            BASES => {
                let bytes = zstd::bulk::decompress(&rest(from), MOST as usize)?;
                let mut from = &bytes[..];
                let count = long(&mut from)?;
                Self::Bases((0..count).map(|_| base(&mut from)).collect::<io::Result<_>>()?)
            }
            INDEX => Self::Index { number: short(from)?, part: rest(from), last: false },
            LAST => Self::Index { number: short(from)?, part: rest(from), last: true },
            NO_INDEX => Self::NoIndex(short(from)?),
            DAMAGED => Self::Damaged(String::from_utf8_lossy(&rest(from)).into_owned()),
            WAITED => Self::Waited(array::<1>(from)?[0]),
            _ => return Err(wrong("it has an unknown tag")),
        })
    }

    /// The answer with its length before it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Daemon(said) => tagged(DAEMON, said, &mut bytes),
            Self::Damaged(why) => tagged(DAMAGED, why.as_bytes(), &mut bytes),
            Self::Waited(share) => tagged(WAITED, &[*share], &mut bytes),
            Self::NoIndex(number) => tagged(NO_INDEX, &number.to_le_bytes(), &mut bytes),
            Self::Index { number, part, last } => {
                let tag = if *last { LAST } else { INDEX };
                tagged(tag, &number.to_le_bytes(), &mut bytes);
                bytes.extend_from_slice(part);
            }
            Self::Bases(bases) => {
                // A closure's paths are named again and again.
                let compressed = zstd::bulk::compress(&listed(bases), 3);
                tagged(BASES, &compressed.expect("zstd has memory"), &mut bytes);
            }
        }
        let mut message = Vec::with_capacity(bytes.len() + 4);
        write_blob(&bytes, &mut message);
        message
    }
}

fn base(from: &mut &[u8]) -> io::Result<Base> {
    Ok(Base {
        number: short(from)?,
        path: path(from)?,
        references: paths(from)?,
        hash: array(from)?,
        length: long(from)?,
    })
}

fn listed(bases: &[Base]) -> Vec<u8> {
    let mut bytes = (bases.len() as u64).to_le_bytes().to_vec();
    for base in bases {
        bytes.extend_from_slice(&base.number.to_le_bytes());
        write_path(&base.path, &mut bytes);
        write_paths(&base.references, &mut bytes);
        bytes.extend_from_slice(&base.hash);
        bytes.extend_from_slice(&base.length.to_le_bytes());
    }
    bytes
}

fn rest(from: &mut &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).expect("memory can be read");
    bytes
}

fn tagged(tag: u8, bytes: &[u8], to: &mut Vec<u8>) {
    to.push(tag);
    to.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let path = StorePath::parse(&format!("/nix/store/{}-a", "0".repeat(32))).unwrap();
        let references = vec![path.clone(); 3];
        let base = Base { number: 7, path, references, hash: [9; 32], length: 1 << 40 };
        let answers = [
            Answer::Daemon(b"said".to_vec()),
            Answer::Bases(vec![base; 2]),
            Answer::Bases(Vec::new()),
            Answer::Index { number: 1, part: vec![1; 20], last: false },
            Answer::Index { number: 1, part: Vec::new(), last: true },
            Answer::NoIndex(u32::MAX),
            Answer::Damaged("why".into()),
            Answer::Waited(99),
        ];
        for answer in answers {
            let bytes = answer.to_bytes();
            let (length, rest) = bytes.split_at(4);
            assert_eq!(length, u32::try_from(rest.len()).unwrap().to_le_bytes());
            assert_eq!(Answer::read(rest).unwrap(), answer);
        }
        for wrong in [&b""[..], b"\x09", b"\x01abc", b"\x02"] {
            assert!(Answer::read(wrong).is_err(), "{wrong:?}");
        }
    }
}
