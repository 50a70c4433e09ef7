//! What Nix sends, as far as it has come.

use std::{io, ops::Range, time::Duration};

use tokio::{io::AsyncRead, io::AsyncReadExt, time::timeout};

use super::line::MachineLine;

/// How long Nix may send nothing before the other side gets what zstd kept. Within one message Nix
/// is never silent for that long.
const PAUSE: Duration = Duration::from_millis(1);

/// The number of bytes to read at once.
const PIECE: usize = 128 << 10;

/// Nix's end of the socket.
pub struct NixStream<R> {
    from: R,
    piece: Vec<u8>,
    ready: Range<usize>,
}

impl<R: AsyncRead + Unpin> NixStream<R> {
    pub fn new(from: R) -> Self {
        Self { from, piece: vec![0; PIECE], ready: 0..0 }
    }

    /// Whether the next bytes have to be waited for.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Waits for the next bytes. While there are none, the machine gets all that was sent before.
    ///
    /// # Errors
    /// When the socket or the line breaks.
    pub async fn fill(&mut self, line: &mut MachineLine<'_>) -> io::Result<()> {
        let read = self.from.read(&mut self.piece);
        // A read that is cut off has read nothing.
        let length = if line.is_flushed { Ok(read.await) } else { timeout(PAUSE, read).await };
        let length = match length {
            Ok(length) => length?,
            Err(_) => {
                line.flush().await?;
                self.from.read(&mut self.piece).await?
            }
        };
        self.ready = 0..length;
        Ok(())
    }

    /// Takes what has come, at most so many bytes. Nothing after [`Self::fill`] is the end.
    pub fn take(&mut self, most: usize) -> &[u8] {
        let length = self.ready.len().min(most);
        let taken = self.ready.start..self.ready.start + length;
        self.ready.start = taken.end;
        &self.piece[taken]
    }
}
