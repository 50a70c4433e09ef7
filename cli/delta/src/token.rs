//! What the near end sends instead of Nix's protocol.

use std::io::{self, Read};

use deploy_wire::store_path::StorePath;

use crate::bytes::{
    array, blob, long, path, paths, short, write_blob, write_path, write_paths, wrong,
};

/// A step of the near end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Bytes of the protocol, outside of frames.
    Plain(Vec<u8>),
    /// Bytes in a frame.
    Framed(Vec<u8>),
    /// The paths that may be pushed. The answer is [`crate::answer::Answer::Bases`].
    Wanted(Vec<StorePath>),
    /// The index of the base of a wanted path is needed, now the most.
    Ask(u32),
    /// The index of the base of a wanted path is not needed any more.
    Forget(u32),
    /// What follows is a path, in frames and without references, beside the base of the wanted path
    /// with this number.
    Path {
        /// The number of the wanted path.
        number: u32,
        /// The path.
        path: StorePath,
        /// What it refers to.
        references: Vec<StorePath>,
    },
    /// Bytes of the path without references.
    Text(Vec<u8>),
    /// Bytes of the path that its base has.
    Copy(Copied),
}

/// The most bytes of one copy, which the far end keeps in memory and compares as a whole.
pub const RUN: u32 = 1 << 20;

/// A run of chunks in a base's stream without references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The first byte.
    pub offset: u64,
    /// How many bytes.
    pub length: u32,
    /// Their hash.
    pub hash: u128,
}

const PLAIN: u8 = 0;
const FRAMED: u8 = 1;
const WANTED: u8 = 2;
const ASK: u8 = 3;
const FORGET: u8 = 4;
const PATH: u8 = 5;
const TEXT: u8 = 6;
const COPY: u8 = 7;

impl Token {
    /// Reads a token; `None` at the end.
    ///
    /// # Errors
    /// When the stream breaks, ends within a token, or has none.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut tag = [0];
        loop {
            match from.read(&mut tag) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(match tag[0] {
            PLAIN => Self::Plain(blob(from)?),
            FRAMED => Self::Framed(blob(from)?),
            WANTED => Self::Wanted(paths(from)?),
            ASK => Self::Ask(short(from)?),
            FORGET => Self::Forget(short(from)?),
            PATH => {
                Self::Path { number: short(from)?, path: path(from)?, references: paths(from)? }
            }
            TEXT => Self::Text(blob(from)?),
            COPY => Self::Copy(Copied {
                offset: long(from)?,
                length: short(from)?,
                hash: u128::from_le_bytes(array(from)?),
            }),
            _ => return Err(wrong("it has an unknown tag")),
        }))
    }

    /// Appends the token.
    pub fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Plain(bytes) => blob_of(PLAIN, bytes, to),
            Self::Framed(bytes) => blob_of(FRAMED, bytes, to),
            Self::Text(bytes) => blob_of(TEXT, bytes, to),
            Self::Wanted(wanted) => {
                to.push(WANTED);
                write_paths(wanted, to);
            }
            Self::Ask(number) => number_of(ASK, *number, to),
            Self::Forget(number) => number_of(FORGET, *number, to),
            Self::Path { number, path, references } => {
                number_of(PATH, *number, to);
                write_path(path, to);
                write_paths(references, to);
            }
            Self::Copy(copied) => {
                to.push(COPY);
                to.extend_from_slice(&copied.offset.to_le_bytes());
                to.extend_from_slice(&copied.length.to_le_bytes());
                to.extend_from_slice(&copied.hash.to_le_bytes());
            }
        }
    }
}

fn blob_of(tag: u8, bytes: &[u8], to: &mut Vec<u8>) {
    to.push(tag);
    write_blob(bytes, to);
}

fn number_of(tag: u8, number: u32, to: &mut Vec<u8>) {
    to.push(tag);
    to.extend_from_slice(&number.to_le_bytes());
}
