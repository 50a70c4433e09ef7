//! A client's stream as it is, or compressed with zstd, which may ask for the delta.

use std::io::{self, BufRead, Cursor, Read};

use deploy_delta::ASKED;
use zstd::stream::read::Decoder;

/// The first byte of a zstd frame, `28 b5 2f fd`. Nix's protocol begins with another one.
const ZSTD: u8 = 0x28;

/// The largest window that is decompressed, as a power of two: 4 MiB. `deploy` uses no larger one.
/// Without a limit a client could ask for gigabytes.
const WINDOW: u32 = 22;

/// The length of the empty frame that a request for the delta begins with. No shorter stream holds
/// Nix's greeting, so it can be waited for.
const EMPTY_FRAME: usize = 9;

/// A client's stream, decompressed.
pub struct Plain<'a> {
    pub stream: Box<dyn Read + 'a>,
    /// Whether the client asks for the delta.
    pub asks_for_delta: bool,
}

/// The client's stream, decompressed if it is compressed. Waits for its first bytes.
///
/// # Errors
/// When it cannot be read.
pub fn plain<'a>(mut client: impl BufRead + 'a) -> io::Result<Plain<'a>> {
    if client.fill_buf()?.first() != Some(&ZSTD) {
        return Ok(Plain { stream: Box::new(client), asks_for_delta: false });
    }
    let mut begin = vec![0; EMPTY_FRAME];
    client.read_exact(&mut begin)?;
    if begin == ASKED[..EMPTY_FRAME] {
        begin.resize(ASKED.len(), 0);
        client.read_exact(&mut begin[EMPTY_FRAME..])?;
    }
    let asks_for_delta = begin == ASKED;
    let mut decoder = Decoder::with_buffer(Cursor::new(begin).chain(client))?;
    decoder.window_log_max(WINDOW)?;
    Ok(Plain { stream: Box::new(decoder), asks_for_delta })
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        plain(BufReader::new(bytes))?.stream.read_to_end(&mut read)?;
        Ok(read)
    }

    #[test]
    fn a_stream_is_read_with_and_without_compression() {
        let text = b"cxin and more".repeat(1000);
        assert_eq!(read(&text).unwrap(), text);
        assert_eq!(read(&zstd::encode_all(&text[..], 3).unwrap()).unwrap(), text);
        assert_eq!(read(b"").unwrap(), b"");
    }

    /// The request is nothing for a decoder that does not look for it, as in an agent of the version
    /// before.
    #[test]
    fn a_request_for_the_delta_is_seen_and_is_nothing_otherwise() {
        let text = b"cxin and more".repeat(1000);
        let asked = [&ASKED[..], &zstd::encode_all(&text[..], 3).unwrap()].concat();
        assert!(plain(BufReader::new(&asked[..])).unwrap().asks_for_delta);
        assert_eq!(read(&asked).unwrap(), text);
        assert_eq!(zstd::decode_all(&asked[..]).unwrap(), text);
        let not_asked = zstd::encode_all(&text[..], 3).unwrap();
        assert!(!plain(BufReader::new(&not_asked[..])).unwrap().asks_for_delta);
        let mut other = asked;
        other[20] ^= 1;
        assert!(!plain(BufReader::new(&other[..])).unwrap().asks_for_delta);
    }

    /// Nix waits for the answer to what it sent before it sends more.
    #[test]
    fn what_was_flushed_is_read_before_the_stream_goes_on() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut encoder = zstd::Encoder::new(&mut writer, 3).unwrap();
        encoder.write_all(b"greeting").unwrap();
        encoder.flush().unwrap();
        let mut plain = plain(BufReader::new(reader)).unwrap().stream;
        let mut greeting = [0; 8];
        plain.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"greeting");
    }

    #[test]
    fn a_large_window_a_cut_and_a_changed_byte_are_errors() {
        let text: Vec<u8> = (0..1u32 << 18).flat_map(u32::to_le_bytes).collect();
        let mut large = zstd::Encoder::new(Vec::new(), 3).unwrap();
        large.window_log(27).unwrap();
        large.include_contentsize(false).unwrap();
        large.write_all(&text).unwrap();
        assert!(read(&large.finish().unwrap()).is_err(), "a window of 128 MiB");
        let mut bytes = zstd::encode_all(&text[..], 3).unwrap();
        assert!(read(&bytes[..bytes.len() / 2]).is_err(), "half of it");
        bytes[5] ^= 0x40;
        assert!(read(&bytes).is_err() || read(&bytes).unwrap() != text, "another byte");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// A damaged stream ends, without more text than a stream of that length can hold. Nix
        /// compares the hash of each path with what arrived.
        #[test]
        fn a_damaged_stream_ends(
            at in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<proptest::sample::Index>(),
        ) {
            let text: Vec<u8> = (0..2000_u16).flat_map(u16::to_le_bytes).collect();
            let mut bytes = zstd::encode_all(&text[..], 3).unwrap();
            for (index, byte) in at {
                *index.get_mut(&mut bytes) ^= byte;
            }
            bytes.truncate(cut.index(bytes.len()) + 1);
            // One byte of a block that repeats another byte stands for 128 KiB at most.
            let most = bytes.len() as u64 * (128 << 10);
            let read = plain(BufReader::new(&bytes[..]))
                .and_then(|plain| io::copy(&mut plain.stream.take(most + 1), &mut io::sink()));
            prop_assert!(read.is_err() || read.unwrap() <= most);
        }
    }
}
