//! What both ends of a push share: the operations of Nix's protocol, and how a path is sent without
//! what the machine has.
//!
//! A path travels as a stream without references ([`references`]), cut into chunks by its content
//! ([`chunks`]). A chunk that the machine has in a path of the same name, its base, becomes a copy
//! ([`token::Token::Copy`]). The other end ([`decode`]) makes the original bytes from the copies and
//! the rest, and the machine's `nix-daemon` compares the hash of each path with what it was to be.

#![forbid(unsafe_code)]

pub mod answer;
pub mod archive;
pub mod bytes;
pub mod chunks;
pub mod decode;
pub mod encode;
pub mod index;
pub mod operations;
pub mod references;
pub mod token;

/// What the near end puts before its stream to ask for the delta: an empty frame of zstd and a
/// frame that every decoder skips. An agent that knows no delta decompresses it to nothing.
pub const ASKED: [u8; 33] = *b"\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00\
    \x50\x2a\x4d\x18\x10\x00\x00\x00deploy delta 001";

/// How the agent answers that it knows the delta, before everything else. The daemon's greeting
/// begins with other bytes.
pub const ANNOUNCED: [u8; 8] = *b"delta001";

/// The bytes of Nix's greeting, which travel before both ends know whether the other knows the
/// delta: a number and a version.
pub const GREETING: usize = 16;
