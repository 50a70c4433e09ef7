//! One deadline for a whole look. With a limit for each read, a server that sends a byte just
//! before each one would keep the look going forever.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// The deadline of a look.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    end: Instant,
    length: Duration,
}

impl Limit {
    /// The deadline after `length` from now.
    pub fn of(length: Duration) -> Self {
        Self { end: Instant::now() + length, length }
    }

    /// The time until the deadline; an error after it.
    pub fn left(self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.lateness()) } else { Ok(left) }
    }

    fn lateness(self) -> io::Error {
        let why = format!("it did not answer to the end within {} s", self.length.as_secs());
        io::Error::new(io::ErrorKind::TimedOut, why)
    }

    /// Gives a timeout one message; the kernel has two errors for it.
    fn name_lateness(self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.lateness(),
            _ => error,
        }
    }
}

/// A connection whose reads and writes end at the deadline.
#[derive(Debug)]
pub struct Limited {
    stream: TcpStream,
    limit: Limit,
}

impl Limited {
    /// Wraps a connection with the deadline.
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
