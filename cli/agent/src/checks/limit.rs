//! One moment by which a look must be over. A limit for each read would be none: a server that
//! sends a byte before each of them ends keeps the look going for ever.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// When a look must be over.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    end: Instant,
    length: Duration,
}

impl Limit {
    /// The moment that is `length` from now.
    pub fn of(length: Duration) -> Self {
        Self { end: Instant::now() + length, length }
    }

    /// What is left of it; an error once nothing is.
    pub fn left(self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.lateness()) } else { Ok(left) }
    }

    fn lateness(self) -> io::Error {
        let why = format!("it did not answer to the end within {} s", self.length.as_secs());
        io::Error::new(io::ErrorKind::TimedOut, why)
    }

    /// What a failed read or write means: that it took too long has two names.
    fn name_lateness(self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.lateness(),
            _ => error,
        }
    }
}

/// A connection of which no read or write lasts beyond the limit.
#[derive(Debug)]
pub struct Limited {
    stream: TcpStream,
    limit: Limit,
}

impl Limited {
    /// The same connection, with this limit.
    pub fn new(stream: TcpStream, limit: Limit) -> Self {
        Self { stream, limit }
    }
}

impl Read for Limited {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.limit.left()?))?;
        self.stream.read(bytes).map_err(|error| self.limit.name_lateness(error))
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.limit.left()?))?;
        self.stream.write(bytes).map_err(|error| self.limit.name_lateness(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
