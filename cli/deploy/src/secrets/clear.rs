//! Text that is secret, in memory: cleared where it lay when it moves or goes away.

use std::io::{self, Read};

use zeroize::Zeroizing;

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// All of `reader`. A vector that grew by itself would leave what it had behind.
pub fn read(mut reader: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(PIECE));
    let mut piece = Zeroizing::new([0; PIECE]);
    loop {
        let count = match reader.read(&mut *piece) {
            Ok(0) => return Ok(text),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        if text.len() + count > text.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(text.capacity() * 2));
            larger.extend_from_slice(&text);
            text = larger;
        }
        text.extend_from_slice(&piece[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_size_is_read_whole() {
        for size in [0, 1, PIECE, PIECE + 1, 5 * PIECE] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            assert_eq!(*read(&bytes[..]).unwrap(), bytes, "{size}");
        }
    }
}
