//! The values of Nix's protocol: numbers of 64 bits, and strings padded to eight bytes.

use std::io::{self, BufWriter, ErrorKind, Read, Write};

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
    forwarded: u64,
}

impl<R: Read, W: Write> ProtocolRelay<R, W> {
    pub fn new(from: R, to: W) -> Self {
        Self { from, to, forwarded: 0 }
    }

    /// The number of bytes that were forwarded.
    pub fn forwarded(&self) -> u64 {
        self.forwarded
    }

    /// Forwards what is in frames, which are read and written anew: the daemon gets what `each`
    /// forwards, and nothing else.
    pub fn within_frames(
        &mut self,
        each: impl FnOnce(&mut Framed<'_, '_, R, W>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut frames = FrameReader::new(&mut self.from);
        let writer = BufWriter::with_capacity(PIECE, FrameWriter::new(&mut self.to));
        let mut inner = ProtocolRelay::new(&mut frames, writer);
        each(&mut inner)?;
        inner.to.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
        frames.finish()
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
        self.forwarded += 8;
        self.to.write_all(&number.to_le_bytes())
    }

    /// Reads the number of values of a list, without forwarding it.
    pub fn count(&mut self, most: u64) -> io::Result<u64> {
        let count = self.read()?;
        if count > most { Err(refused(format!("a list of {count}"))) } else { Ok(count) }
    }

    /// Reads a string of at most so many bytes, without forwarding it.
    pub fn read_string(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let length = self.read()?;
        if length > most {
            return Err(refused(format!("a word of {length} bytes")));
        }
        let padded = length.next_multiple_of(8);
        let mut bytes = Vec::new();
        (&mut self.from).take(padded).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < padded {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let padding = bytes.split_off(length as usize);
        if padding.iter().any(|byte| *byte != 0) { Err(refused("padding")) } else { Ok(bytes) }
    }

    /// Writes a string.
    pub fn write_string(&mut self, text: &[u8]) -> io::Result<()> {
        let length = text.len() as u64;
        self.write(length)?;
        self.to.write_all(text)?;
        let padded = length.next_multiple_of(8);
        self.forwarded += padded;
        self.to.write_all(&[0; 7][..(padded - length) as usize])
    }

    /// Writes a list of strings.
    pub fn write_strings(&mut self, texts: &[String]) -> io::Result<()> {
        self.write(texts.len() as u64)?;
        texts.iter().try_for_each(|text| self.write_string(text.as_bytes()))
    }

    /// Forwards a string of any length, with padding that holds nothing.
    pub fn contents(&mut self) -> io::Result<()> {
        let length = self.number()?;
        self.bytes(length)?;
        let padding = (length.wrapping_neg() & 7) as usize;
        let mut bytes = [0; 7];
        self.from.read_exact(&mut bytes[..padding])?;
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(refused("padding"));
        }
        self.forwarded += padding as u64;
        self.to.write_all(&bytes[..padding])
    }

    /// Forwards a string that is text, and returns it.
    pub fn text(&mut self) -> io::Result<String> {
        let bytes = self.read_string(MOST)?;
        self.write_string(&bytes)?;
        String::from_utf8(bytes).map_err(|_| refused("a name that is no text"))
    }

    /// Forwards a list of such strings.
    pub fn texts(&mut self) -> io::Result<Vec<String>> {
        let count = self.length()?;
        self.write(count)?;
        (0..count).map(|_| self.text()).collect()
    }

    /// Forwards some bytes as they come; none at the end.
    pub fn some(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(piece)?;
        self.forwarded += read as u64;
        self.to.write_all(&piece[..read])?;
        Ok(read)
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
        self.forwarded += copied;
        if copied < length { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// What is in the frames of a relay.
pub type Framed<'f, 'r, R, W> =
    ProtocolRelay<&'f mut FrameReader<&'r mut R>, BufWriter<FrameWriter<&'r mut W>>>;

/// The inside of frames. The last frame is empty.
pub struct FrameReader<R> {
    from: R,
    left: u64,
    is_over: bool,
}

impl<R: Read> FrameReader<R> {
    pub fn new(from: R) -> Self {
        Self { from, left: 0, is_over: false }
    }

    /// Reads the last frame.
    ///
    /// # Errors
    /// When something comes before it.
    pub fn finish(mut self) -> io::Result<()> {
        let more = self.read(&mut [0])?;
        if more > 0 { Err(refused("more than was said")) } else { Ok(()) }
    }
}

impl<R: Read> Read for FrameReader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            let mut length = [0; 8];
            self.from.read_exact(&mut length)?;
            self.left = number_of(&length);
            self.is_over = self.left == 0;
        }
        if self.is_over {
            return Ok(0);
        }
        let most = to.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        match self.from.read(&mut to[..most])? {
            0 if most > 0 => Err(ErrorKind::UnexpectedEof.into()),
            read => {
                self.left -= read as u64;
                Ok(read)
            }
        }
    }
}

/// Puts what is written into frames.
pub struct FrameWriter<W>(W);

impl<W: Write> FrameWriter<W> {
    pub fn new(to: W) -> Self {
        Self(to)
    }

    /// Writes the last frame.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.write_all(&[0; 8])?;
        self.0.flush()
    }
}

impl<W: Write> Write for FrameWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An empty frame would be the last one.
        if !bytes.is_empty() {
            self.0.write_all(&(bytes.len() as u64).to_le_bytes())?;
            self.0.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
