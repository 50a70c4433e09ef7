//! Numbers and strings in messages: numbers are little-endian, strings as in Nix's protocol.

use std::io::{self, ErrorKind, Read};

use deploy_wire::store_path::StorePath;

/// The most bytes of one message. Longer ones are refused before memory is taken for them.
pub const MOST: usize = 1 << 20;

/// The most paths in a list. A closure has thousands.
pub const PATHS: u64 = 1 << 16;

/// An error for bytes that are no message.
pub fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("a message of the delta is wrong: {what}"))
}

/// Reads as many bytes as `N`.
///
/// # Errors
/// When the stream ends or breaks.
pub fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads a number of 32 bits.
///
/// # Errors
/// When the stream ends or breaks.
pub fn short(from: &mut impl Read) -> io::Result<u32> {
    Ok(u32::from_le_bytes(array(from)?))
}

/// Reads a number of 64 bits.
///
/// # Errors
/// When the stream ends or breaks.
pub fn long(from: &mut impl Read) -> io::Result<u64> {
    Ok(u64::from_le_bytes(array(from)?))
}

/// Reads bytes after their length in 32 bits.
///
/// # Errors
/// When the stream ends or breaks, or when there are more than [`MOST`].
pub fn blob(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = short(from)? as usize;
    if length > MOST {
        return Err(wrong("it is too long"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Writes bytes after their length in 32 bits. The caller keeps below [`MOST`].
pub fn write_blob(bytes: &[u8], to: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).expect("a message is shorter than 4 GiB");
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(bytes);
}

/// Reads a store path.
///
/// # Errors
/// When the stream ends or breaks, or when it is no store path.
pub fn path(from: &mut impl Read) -> io::Result<StorePath> {
    let length = long(from)?;
    if length > 512 {
        return Err(wrong("a store path is too long"));
    }
    let length = length as usize;
    let mut bytes = vec![0; length.next_multiple_of(8)];
    from.read_exact(&mut bytes)?;
    bytes.truncate(length);
    let text = String::from_utf8(bytes).map_err(|_| wrong("a store path is no text"))?;
    StorePath::parse(&text).map_err(|error| wrong(&error.to_string()))
}

/// Writes a store path.
pub fn write_path(path: &StorePath, to: &mut Vec<u8>) {
    let text = path.as_str().as_bytes();
    to.extend_from_slice(&(text.len() as u64).to_le_bytes());
    to.extend_from_slice(text);
    to.resize(to.len() + text.len().next_multiple_of(8) - text.len(), 0);
}

/// Reads a list of store paths.
///
/// # Errors
/// When the stream ends or breaks, or when there are too many.
pub fn paths(from: &mut impl Read) -> io::Result<Vec<StorePath>> {
    let count = long(from)?;
    if count > PATHS {
        return Err(wrong("it has too many paths"));
    }
    (0..count).map(|_| path(from)).collect()
}

/// Writes a list of store paths, as Nix does, so that zstd finds a list that Nix sent before.
pub fn write_paths(paths: &[StorePath], to: &mut Vec<u8>) {
    to.extend_from_slice(&(paths.len() as u64).to_le_bytes());
    paths.iter().for_each(|path| write_path(path, to));
}
