//! A client's stream as it is, or compressed with zstd.

use std::io::{self, BufRead, Read};

use zstd::stream::read::Decoder;

/// The first byte of a zstd frame, `28 b5 2f fd`. Nix's protocol begins with another one.
const ZSTD: u8 = 0x28;

/// The largest window that is decompressed, as a power of two: 4 MiB. `deploy` uses no larger one.
/// Without a limit a client could ask for gigabytes.
const WINDOW: u32 = 22;

/// The client's stream, decompressed if it is compressed. Waits for its first byte.
///
/// # Errors
/// When it cannot be read.
pub fn plain<'a>(mut client: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    if client.fill_buf()?.first() != Some(&ZSTD) {
        return Ok(Box::new(client));
    }
    let mut decoder = Decoder::with_buffer(client)?;
    decoder.window_log_max(WINDOW)?;
    Ok(Box::new(decoder))
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        plain(BufReader::new(bytes))?.read_to_end(&mut read)?;
        Ok(read)
    }

    #[test]
    fn a_stream_is_read_with_and_without_compression() {
        let text = b"cxin and more".repeat(1000);
        assert_eq!(read(&text).unwrap(), text);
        assert_eq!(read(&zstd::encode_all(&text[..], 3).unwrap()).unwrap(), text);
        assert_eq!(read(b"").unwrap(), b"");
    }

    /// Nix waits for the answer to what it sent before it sends more.
    #[test]
    fn what_was_flushed_is_read_before_the_stream_goes_on() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut encoder = zstd::Encoder::new(&mut writer, 3).unwrap();
        encoder.write_all(b"greeting").unwrap();
        encoder.flush().unwrap();
        let mut plain = plain(BufReader::new(reader)).unwrap();
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
                .and_then(|plain| io::copy(&mut plain.take(most + 1), &mut io::sink()));
            prop_assert!(read.is_err() || read.unwrap() <= most);
        }
    }
}
