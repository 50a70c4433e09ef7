//! A stream compressed with zstd, at the level that keeps the line full.
//!
//! The level follows from where the time goes. While writing to the line has to be waited for, more
//! compression costs nothing, and the level rises. While the line takes everything at once,
//! compression only costs time, and the level falls until next to nothing is compressed.

use std::{
    io,
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use zstd::stream::raw::{CParameter, Encoder, InBuffer, Operation, OutBuffer};

/// The levels, from hardly any compression to what takes a core for 30 MB a second. Level 9 takes
/// 6 MiB more in each thread, and saves a five-hundredth of the bytes.
const LEVELS: [i32; 8] = [-100, -10, 1, 2, 3, 5, 7, 8];

/// Where the level starts: at 1.
const FIRST: usize = 2;

/// The window as a power of two: 2 MiB. The agent takes up to 4 MiB.
const WINDOW: u32 = 21;

/// The most threads: each takes some megabytes.
const THREADS: u32 = 3;

/// How much input one decision about the level is made of. It is more than the buffers on the way
/// to the machine hold, for they take everything at first.
const SAMPLE: u64 = 1 << 20;

/// How long it takes at least. zstd's threads take megabytes at once and give them back at once, so
/// that a shorter sample has only the one or the other, and the level would never stay where it is.
const SHORTEST: Duration = Duration::from_millis(250);

/// The level to compress with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The level that keeps the line full.
    Auto,
    /// This one.
    Fixed(i32),
}

/// Compresses a stream.
pub struct Compressor {
    encoder: Encoder<'static>,
    /// `None` for a fixed level.
    choice: Option<LevelChoice>,
    out: Vec<u8>,
}

impl Compressor {
    /// Begins a stream.
    ///
    /// # Errors
    /// When zstd has no memory for it.
    pub fn new(level: Level) -> io::Result<Self> {
        let (first, choice) = match level {
            Level::Auto => (LEVELS[FIRST], Some(LevelChoice::new())),
            Level::Fixed(level) => (level, None),
        };
        let mut encoder = Encoder::new(first)?;
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = u32::try_from(cores).unwrap_or(THREADS).min(THREADS);
        encoder.set_parameter(CParameter::WindowLog(WINDOW))?;
        // With threads of its own the level can change within a stream.
        encoder.set_parameter(CParameter::NbWorkers(threads))?;
        encoder.set_parameter(CParameter::JobSize(1 << WINDOW))?;
        Ok(Self { encoder, choice, out: vec![0; 128 << 10] })
    }

    /// Compresses `input` and appends to `to` what is ready. zstd keeps the rest.
    ///
    /// # Errors
    /// zstd's own.
    pub fn add(&mut self, input: &[u8], to: &mut Vec<u8>) -> io::Result<()> {
        let mut input = InBuffer::around(input);
        while input.pos() < input.src.len() {
            let mut out = OutBuffer::around(self.out.as_mut_slice());
            self.encoder.run(&mut input, &mut out)?;
            to.extend_from_slice(out.as_slice());
        }
        Ok(())
    }

    /// Appends all that zstd kept, so that the other side can read everything so far.
    ///
    /// # Errors
    /// zstd's own.
    pub fn flush(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        self.drain(to, |encoder, out| encoder.flush(out))
    }

    /// Appends the end of the stream.
    ///
    /// # Errors
    /// zstd's own.
    pub fn finish(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        self.drain(to, |encoder, out| encoder.finish(out, true))
    }

    fn drain(
        &mut self,
        to: &mut Vec<u8>,
        step: impl Fn(&mut Encoder<'static>, &mut OutBuffer<'_, [u8]>) -> io::Result<usize>,
    ) -> io::Result<()> {
        loop {
            let mut out = OutBuffer::around(self.out.as_mut_slice());
            let left = step(&mut self.encoder, &mut out)?;
            to.extend_from_slice(out.as_slice());
            if left == 0 {
                return Ok(());
            }
        }
    }

    /// Takes note that `input` bytes were sent and that the line was waited for so long, and
    /// chooses the level for what follows.
    ///
    /// # Errors
    /// zstd's own.
    pub fn was_sent(&mut self, input: usize, waited: Duration, now: Instant) -> io::Result<()> {
        let level = self.choice.as_mut().and_then(|choice| choice.next(input as u64, waited, now));
        match level {
            Some(level) => self.encoder.set_parameter(CParameter::CompressionLevel(level)),
            None => Ok(()),
        }
    }
}

/// Chooses levels.
#[derive(Debug)]
struct LevelChoice {
    at: usize,
    input: u64,
    waited: Duration,
    since: Option<Instant>,
    /// The samples in a row in which the line took everything at once.
    unblocked: u32,
}

impl LevelChoice {
    fn new() -> Self {
        Self { at: FIRST, input: 0, waited: Duration::ZERO, since: None, unblocked: 0 }
    }

    /// The level from now on, where it changes.
    fn next(&mut self, input: u64, waited: Duration, now: Instant) -> Option<i32> {
        let since = *self.since.get_or_insert(now);
        self.input += input;
        self.waited += waited;
        let whole = now.saturating_duration_since(since);
        if self.input < SAMPLE || whole < SHORTEST {
            return None;
        }
        let share = self.waited.as_secs_f64() / whole.as_secs_f64().max(1e-6);
        (self.input, self.waited, self.since) = (0, Duration::ZERO, Some(now));
        let before = self.at;
        self.unblocked = if share < 0.1 { self.unblocked + 1 } else { 0 };
        if share > 0.5 {
            self.at = (self.at + 1).min(LEVELS.len() - 1);
        } else if self.unblocked > 2 {
            self.at = self.at.saturating_sub(1);
        }
        (self.at != before).then_some(LEVELS[self.at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that compresses, and a little better at a higher level.
    fn text(bytes: usize) -> Vec<u8> {
        let word = |number: u64| format!("{} ", number.wrapping_mul(0x9e37_79b9) >> 20 & 0xffff);
        (0..).flat_map(|number| word(number).into_bytes()).take(bytes).collect()
    }

    fn choice(shares: &[f64]) -> Vec<i32> {
        let mut now = Instant::now();
        let mut choice = LevelChoice::new();
        choice.next(0, Duration::ZERO, now);
        shares
            .iter()
            .map(|share| {
                now += Duration::from_secs(1);
                choice.next(SAMPLE, Duration::from_secs_f64(*share), now);
                LEVELS[choice.at]
            })
            .collect()
    }

    #[test]
    fn a_line_that_is_waited_for_raises_the_level_and_a_fast_one_lowers_it() {
        assert_eq!(choice(&[0.9, 0.9, 0.9, 0.3, 0.3]), [2, 3, 5, 5, 5]);
        assert_eq!(choice(&[0.9; 9]).last(), Some(&8));
        assert_eq!(choice(&[0.0, 0.0, 0.0, 0.0, 0.0]), [1, 1, -10, -100, -100]);
        // One sample that the buffers took does not lower it.
        assert_eq!(choice(&[0.9, 0.0, 0.9, 0.0, 0.0]), [2, 2, 3, 3, 3]);
    }

    /// Three pieces are taken at once, and the fourth waits for the line: as zstd's threads do it at 50
    /// Mbit/s.
    #[test]
    fn a_line_that_is_waited_for_in_bursts_raises_the_level_too() {
        let mut now = Instant::now();
        let mut choice = LevelChoice::new();
        choice.next(0, Duration::ZERO, now);
        for _ in 0..8 {
            for (took, waited) in [(2, 0), (4, 0), (1, 0), (300, 295)] {
                now += Duration::from_millis(took);
                choice.next(SAMPLE, Duration::from_millis(waited), now);
            }
        }
        assert_eq!(LEVELS[choice.at], 8);
    }

    #[test]
    fn what_was_flushed_can_be_read_at_every_level_and_after_a_change() {
        let text = text(5 << 20);
        let mut lengths = Vec::new();
        for level in [Level::Auto, Level::Fixed(-100), Level::Fixed(19)] {
            let mut compressor = Compressor::new(level).unwrap();
            let mut sent = Vec::new();
            let mut now = Instant::now();
            for (number, piece) in text.chunks(1 << 20).enumerate() {
                compressor.add(piece, &mut sent).unwrap();
                compressor.flush(&mut sent).unwrap();
                now += Duration::from_secs(1);
                let waited = Duration::from_millis(if number % 2 == 0 { 900 } else { 0 });
                compressor.was_sent(piece.len(), waited, now).unwrap();
                let mut read = Vec::new();
                let mut decoder = zstd::stream::write::Decoder::new(&mut read).unwrap();
                io::Write::write_all(&mut decoder, &sent).unwrap();
                io::Write::flush(&mut decoder).unwrap();
                drop(decoder);
                assert_eq!(read, text[..(number + 1) << 20], "{level:?}");
            }
            compressor.finish(&mut sent).unwrap();
            assert_eq!(zstd::decode_all(&sent[..]).unwrap(), text, "{level:?}");
            lengths.push(sent.len());
        }
        assert!(lengths[2] < lengths[1] && lengths[1] < text.len(), "{lengths:?}");
    }
}
