//! Forwards the paths of a push, and keeps what comes of the large ones.

use std::io::{self, ErrorKind, Read, Write};

use deploy_delta::operations::{ADD_MULTIPLE_TO_STORE, Part, parts};
use deploy_wire::store_path::StorePath;

use super::Keeper;
use crate::receive::{
    operation,
    words::{PIECE, ProtocolRelay},
};

/// Forwards an operation.
///
/// # Errors
/// When it is not allowed, or the client or the daemon ends.
pub fn paths<R: Read, W: Write>(
    number: u64,
    words: &mut ProtocolRelay<R, W>,
    keeper: &Keeper,
) -> io::Result<()> {
    if number != ADD_MULTIPLE_TO_STORE {
        return operation::carry(number, words);
    }
    words.write(number)?;
    for part in parts(number).unwrap_or_default() {
        match part {
            Part::Frames => words.within_frames(|inner| {
                for _ in 0..inner.number()? {
                    path(inner, keeper)?;
                }
                Ok(())
            })?,
            _ => {
                words.number()?;
                words.flush()?;
            }
        }
    }
    words.flush()
}

/// One path: path, deriver, hash, references, time, size, whether it was built here, signatures,
/// content address, archive.
fn path<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>, keeper: &Keeper) -> io::Result<()> {
    let path = words.text()?;
    words.string()?;
    words.string()?;
    let references = words.texts()?;
    words.number()?;
    let size = words.number()?;
    words.number()?;
    words.strings()?;
    words.string()?;
    let parsed = StorePath::parse(&path).ok();
    let references: Vec<_> =
        references.iter().filter_map(|path| StorePath::parse(path).ok()).collect();
    let mut kept = parsed.and_then(|path| keeper.begin(&path, &references, size));
    let within = |left: u64| PIECE.min(usize::try_from(left).unwrap_or(usize::MAX));
    let mut piece = vec![0; within(size)];
    let mut left = size;
    while left > 0 {
        let most = within(left);
        let read = words.some(&mut piece[..most])?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some(kept) = &mut kept {
            kept.add(&piece[..read]);
        }
        left -= read as u64;
    }
    if let Some(kept) = kept {
        kept.end();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive::archive::tests::string;

    fn number(number: u64) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    /// Two paths of an operation, without its number.
    fn two(archive: &[u8]) -> Vec<u8> {
        let path = |name: &str| {
            let store = format!("/nix/store/{}-{name}", "0".repeat(32));
            let of = [string(&store), string(""), string("hash"), number(1), string(&store)];
            let more = [number(1), number(archive.len() as u64), number(0), number(0), string("")];
            [of.concat(), more.concat(), archive.to_vec()].concat()
        };
        [number(2), path("a"), path("b")].concat()
    }

    /// The operation with its contents in frames of this many bytes.
    fn framed(contents: &[u8], length: usize) -> Vec<u8> {
        let frames = contents.chunks(length).flat_map(|it| [&number(it.len() as u64), it].concat());
        [number(0), number(1), frames.collect(), number(0)].concat()
    }

    fn unframed(mut bytes: &[u8]) -> Vec<u8> {
        let mut contents = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
            let (frame, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
            contents.extend_from_slice(frame);
            bytes = rest;
        }
        contents
    }

    #[test]
    fn the_daemon_gets_what_the_client_sent_whatever_its_frames() {
        let contents = two(&[7; 1000]);
        for length in [1, 8, 100, 5000] {
            let said = framed(&contents, length);
            let mut heard = Vec::new();
            let mut words = ProtocolRelay::new(&said[..], &mut heard);
            paths(ADD_MULTIPLE_TO_STORE, &mut words, &Keeper::new()).unwrap();
            let expected = [number(ADD_MULTIPLE_TO_STORE), number(0), number(1)].concat();
            assert_eq!(heard[..24], expected);
            assert_eq!(unframed(&heard[24..]), contents);
        }
    }

    #[test]
    fn a_push_that_is_cut_anywhere_is_an_error() {
        let said = framed(&two(&[7; 100]), 64);
        for length in 0..said.len() {
            let mut words = ProtocolRelay::new(&said[..length], io::sink());
            assert!(paths(ADD_MULTIPLE_TO_STORE, &mut words, &Keeper::new()).is_err(), "{length}");
        }
    }
}
