//! The way to the machine: what is written to it is compressed, counted and timed.

use std::{
    cell::Cell,
    io,
    time::{Duration, Instant},
};

use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::tools::compress::{Compressor, Level};

/// How many bytes on the wire one decision about the line is made of.
const SAMPLE: u64 = 256 << 10;

/// A line that takes more bytes a second than this is fast: a machine does not read and compare
/// what it has much faster than that, so whole paths are there sooner.
const FAST: f64 = 25e6;

/// The compressed line to a machine.
pub struct MachineLine<'a> {
    compressor: Compressor,
    to: &'a mut (dyn AsyncWrite + Unpin + Send),
    ready: Vec<u8>,
    on_the_wire: &'a Cell<u64>,
    /// What was learnt of the line, for a push that is cut off too.
    learnt: &'a Cell<Option<bool>>,
    /// Whether the other side has all that was added.
    pub is_flushed: bool,
    /// How fast the line is.
    pub pace: LinePace,
}

impl<'a> MachineLine<'a> {
    /// Begins a stream. `learnt` has what is known of the line.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(
        level: Level,
        to: &'a mut (dyn AsyncWrite + Unpin + Send),
        (on_the_wire, learnt): (&'a Cell<u64>, &'a Cell<Option<bool>>),
    ) -> io::Result<Self> {
        let compressor = Compressor::new(level)?;
        let pace = LinePace::known(learnt.get());
        Ok(Self { compressor, to, ready: Vec::new(), on_the_wire, learnt, is_flushed: true, pace })
    }

    /// Sends bytes before the stream, as they are.
    ///
    /// # Errors
    /// When the line breaks.
    pub async fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.ready.extend_from_slice(bytes);
        self.write().await
    }

    /// Compresses `bytes`, and sends what is ready.
    ///
    /// # Errors
    /// When the line breaks.
    pub async fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.compressor.add(bytes, &mut self.ready)?;
        self.is_flushed = false;
        let begun = Instant::now();
        let sent = self.ready.len();
        self.write().await?;
        let now = Instant::now();
        self.pace.was_sent(sent as u64, now - begun, now);
        self.learnt.set(self.pace.is_slow);
        self.compressor.was_sent(bytes.len(), now - begun, now)
    }

    /// Sends all that was added.
    ///
    /// # Errors
    /// When the line breaks.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.compressor.flush(&mut self.ready)?;
        self.is_flushed = true;
        self.write().await
    }

    /// Sends the end of the stream.
    ///
    /// # Errors
    /// When the line breaks.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.compressor.finish(&mut self.ready)?;
        self.write().await
    }

    async fn write(&mut self) -> io::Result<()> {
        self.to.write_all(&self.ready).await?;
        self.to.flush().await?;
        self.on_the_wire.set(self.on_the_wire.get() + self.ready.len() as u64);
        self.ready.clear();
        Ok(())
    }
}

/// How fast a line is, from what was waited for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinePace {
    /// `None` until it is known.
    pub is_slow: Option<bool>,
    sent: u64,
    waited: Duration,
    since: Option<Instant>,
    /// Whether copies were sent in this sample. Then it may be the machine that is waited for, which
    /// reads them.
    pub has_copies: bool,
    /// The samples in a row in which the line was fast.
    fast: u32,
}

impl LinePace {
    /// A line of which an earlier push learnt this much.
    pub fn known(is_slow: Option<bool>) -> Self {
        Self { is_slow, ..Self::default() }
    }

    /// Takes note that so many bytes were sent and the line was waited for so long.
    fn was_sent(&mut self, bytes: u64, waited: Duration, now: Instant) {
        let since = *self.since.get_or_insert(now);
        self.sent += bytes;
        self.waited += waited;
        if self.sent < SAMPLE {
            return;
        }
        let whole = now.saturating_duration_since(since).as_secs_f64().max(1e-6);
        let (share, rate) = (self.waited.as_secs_f64() / whole, self.sent as f64 / whole);
        (self.sent, self.waited, self.since) = (0, Duration::ZERO, Some(now));
        let has_copies = std::mem::take(&mut self.has_copies);
        if rate < FAST && has_copies {
            return;
        }
        if share > 0.5 && rate < FAST {
            (self.is_slow, self.fast) = (Some(true), 0);
        } else {
            // The buffers on the way take the first samples at once.
            self.fast += 1;
            if self.fast > 7 {
                self.is_slow = Some(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(known: Option<bool>, samples: &[(u64, u64)]) -> Option<bool> {
        let mut pace = LinePace::known(known);
        let mut now = Instant::now();
        pace.was_sent(0, Duration::ZERO, now);
        for (took, waited) in samples {
            now += Duration::from_millis(*took);
            pace.was_sent(SAMPLE, Duration::from_millis(*waited), now);
        }
        pace.is_slow
    }

    #[test]
    fn a_line_is_slow_where_it_is_waited_for_and_takes_little() {
        // A quarter of a mebibyte in 40 ms: 50 Mbit/s.
        assert_eq!(after(None, &[(1, 0), (1, 0), (40, 39)]), Some(true));
        // In 2 ms: a gigabit.
        assert_eq!(after(None, &[(2, 2); 7]), None);
        assert_eq!(after(None, &[(2, 2); 8]), Some(false));
        assert_eq!(after(Some(true), &[(2, 2); 8]), Some(false));
        // The computer is busy, not the line.
        assert_eq!(after(Some(false), &[(40, 3); 20]), Some(false));
        assert_eq!(after(Some(false), &[(2, 2), (40, 39)]), Some(true));
        // Copies are read from the machine's disk, which takes its time.
        let mut pace = LinePace { has_copies: true, ..LinePace::known(Some(false)) };
        let mut now = Instant::now();
        pace.was_sent(0, Duration::ZERO, now);
        for expected in [false, true] {
            now += Duration::from_millis(40);
            pace.was_sent(SAMPLE, Duration::from_millis(39), now);
            assert_eq!(pace.is_slow, Some(expected));
        }
    }
}
