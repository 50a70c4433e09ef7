//! The values of Nix's protocol: numbers of 64 bits, and strings padded to eight bytes.

use std::io::{self, ErrorKind, Read, Write};

/// The number of bytes to read at once.
pub const PIECE: usize = 64 << 10;

/// The limit of bytes in a string and of strings in a list. A push stays far below it.
const MOST: u64 = 16 << 20;

/// Decodes a number of eight bytes.
pub fn number_of(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The error for a message that is not allowed.
pub fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.into())
}

/// One direction of a conversation. It reads each value and writes it after those before.
pub struct ProtocolRelay<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> ProtocolRelay<R, W> {
    pub fn new(from: R, to: W) -> Self {
        Self { from, to }
    }

    /// Reads a number. `None` at the end of the input.
    pub fn begin(&mut self) -> io::Result<Option<u64>> {
        let mut bytes = [0; 8];
        let mut read = 0;
        while read < bytes.len() {
            match self.from.read(&mut bytes[read..])? {
                0 if read == 0 => return Ok(None),
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                more => read += more,
            }
        }
        Ok(Some(number_of(&bytes)))
    }

    pub fn read(&mut self) -> io::Result<u64> {
        self.begin()?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    pub fn write(&mut self, number: u64) -> io::Result<()> {
        self.to.write_all(&number.to_le_bytes())
    }

    /// Flushes the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    /// Forwards a number.
    pub fn number(&mut self) -> io::Result<u64> {
        let number = self.read()?;
        self.write(number)?;
        Ok(number)
    }

    /// Forwards a string.
    pub fn string(&mut self) -> io::Result<()> {
        let length = self.length()?;
        self.write(length)?;
        self.bytes(length.next_multiple_of(8))
    }

    /// Forwards a list of strings.
    pub fn strings(&mut self) -> io::Result<()> {
        let count = self.length()?;
        self.write(count)?;
        (0..count).try_for_each(|_| self.string())
    }

    /// Forwards data in frames; the last frame is empty.
    pub fn frames(&mut self) -> io::Result<()> {
        loop {
            let length = self.number()?;
            if length == 0 {
                return Ok(());
            }
            self.bytes(length)?;
            self.flush()?;
        }
    }

    /// Reads a string without forwarding it.
    pub fn drop_string(&mut self) -> io::Result<()> {
        let length = self.length()?.next_multiple_of(8);
        let dropped = io::copy(&mut (&mut self.from).take(length), &mut io::sink())?;
        if dropped < length { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn length(&mut self) -> io::Result<u64> {
        let length = self.read()?;
        if length > MOST { Err(refused(format!("a word of {length} bytes"))) } else { Ok(length) }
    }

    fn bytes(&mut self, length: u64) -> io::Result<()> {
        let copied = io::copy(&mut (&mut self.from).take(length), &mut self.to)?;
        if copied < length { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}
