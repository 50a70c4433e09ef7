//! The words of Nix's protocol: numbers of 64 bits, and strings filled up to eight bytes.

use std::io::{self, ErrorKind, Read, Write};

/// How much is read at once.
pub const PIECE: usize = 64 << 10;

/// Bytes of a string, and strings of a list: far more than a push has.
const MOST: u64 = 16 << 20;

/// A number of eight bytes.
pub fn number_of(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The refusal of what a client says.
pub fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.into())
}

/// A conversation in one direction: each word is read, and written behind what came before.
pub struct ProtocolRelay<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> ProtocolRelay<R, W> {
    /// Of a reader and a writer.
    pub fn new(from: R, to: W) -> Self {
        Self { from, to }
    }

    /// Reads a number. `None` where nothing comes any more.
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

    /// Reads a number.
    pub fn read(&mut self) -> io::Result<u64> {
        self.begin()?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    /// Writes a number.
    pub fn write(&mut self, number: u64) -> io::Result<()> {
        self.to.write_all(&number.to_le_bytes())
    }

    /// What was written is sent.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    /// A number goes over.
    pub fn number(&mut self) -> io::Result<u64> {
        let number = self.read()?;
        self.write(number)?;
        Ok(number)
    }

    /// A string goes over.
    pub fn string(&mut self) -> io::Result<()> {
        let length = self.length()?;
        self.write(length)?;
        self.bytes(length.next_multiple_of(8))
    }

    /// A list of strings goes over.
    pub fn strings(&mut self) -> io::Result<()> {
        let count = self.length()?;
        self.write(count)?;
        (0..count).try_for_each(|_| self.string())
    }

    /// Data in frames goes over; the last one is empty.
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

    /// A string that does not go over.
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
