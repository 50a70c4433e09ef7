//! Reads output of a machine, which may send without end. Each reader has a limit.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt};

/// Bytes of one reply of an agent. The largest has a record and a manifest.
pub const REPLY: usize = 8 << 20;

/// Bytes of all replies to a request.
pub const REPLIES: usize = 64 << 20;

/// Bytes of the output of a login, with boot loader files, and of a command on the machine.
pub const ANSWER: usize = 16 << 20;

/// Bytes of the output of a local program, such as an evaluation of a large fleet.
pub const HERE: usize = 256 << 20;

/// Bytes of a program's stderr that are kept.
pub const COMPLAINTS: usize = 4 << 20;

/// Bytes of an error message, and of one line of stderr.
pub const MESSAGE: usize = 64 << 10;

/// Appends to `line` up to the end of the line or of the input. A caller that stops waiting may
/// call again with the same `line`. It fails once the line has more than `most` bytes.
pub async fn line(
    from: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
    most: usize,
) -> io::Result<()> {
    piece(from, line, most.saturating_add(1)).await?;
    if line.len() > most { Err(too_much(most)) } else { Ok(()) }
}

/// The same, but splits a line after `most` bytes.
pub async fn piece(
    from: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
    most: usize,
) -> io::Result<()> {
    while line.len() < most {
        let found = from.fill_buf().await?;
        let end = found.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(found.len(), |end| end + 1).min(most - line.len());
        line.extend_from_slice(&found[..length]);
        from.consume(length);
        if length == 0 || line.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(())
}

/// Reads to the end. It fails after more than `most` bytes.
pub async fn all(from: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes).await?;
    if bytes.len() > most { Err(too_much(most)) } else { Ok(bytes) }
}

/// Reads to the end, and keeps only the first `most` bytes.
pub async fn start(from: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    (&mut *from).take(most as u64).read_to_end(&mut bytes).await?;
    tokio::io::copy(from, &mut tokio::io::sink()).await?;
    Ok(bytes)
}

/// The error for input beyond the limit.
pub fn too_much(most: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it sent more than {} MiB", most >> 20))
}

#[cfg(test)]
mod tests {
    use tokio::io::{BufReader, repeat};

    use super::*;

    #[tokio::test]
    async fn what_a_machine_sends_without_end_is_refused_at_its_limit() {
        let mut flood = BufReader::new(repeat(b'x'));
        let mut read = Vec::new();
        let refused = line(&mut flood, &mut read, 1 << 20).await.unwrap_err();
        assert_eq!(refused.to_string(), "it sent more than 1 MiB");
        assert_eq!(read.len(), (1 << 20) + 1);
        assert!(all(&mut flood, 1 << 20).await.is_err());
        let mut cut = Vec::new();
        piece(&mut flood, &mut cut, 7).await.unwrap();
        assert_eq!(cut, b"xxxxxxx");
        let mut lines = &b"one\ntwo"[..];
        for expected in ["one\n", "two", ""] {
            let mut read = Vec::new();
            line(&mut lines, &mut read, 4).await.unwrap();
            assert_eq!(read, expected.as_bytes());
        }
    }
}
