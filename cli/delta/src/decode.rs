//! Nix's protocol from tokens.

use std::io::{self, Cursor, Read};

use deploy_wire::store_path::StorePath;

use crate::{
    archive::Archive,
    bytes::wrong,
    chunks,
    references::{HASH, References, Rewriter},
    token::{Copied, RUN, Token},
};

/// The bases at the far end.
pub trait Bases {
    /// These paths may come.
    ///
    /// # Errors
    /// When the push cannot go on.
    fn wanted(&mut self, paths: Vec<StorePath>) -> io::Result<()>;

    /// The index of the base of a wanted path is needed.
    ///
    /// # Errors
    /// When the push cannot go on.
    fn ask(&mut self, number: u32) -> io::Result<()>;

    /// The index of the base of a wanted path is not needed any more.
    fn forget(&mut self, number: u32);

    /// The base of a wanted path, and what it refers to.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn open(&mut self, number: u32) -> io::Result<(Archive, References)>;

    /// A copy from this base is not what it was to be.
    fn damaged(&mut self, number: u32, why: &str);
}

/// Reads tokens, and gives the protocol.
pub struct Decoder<R, B> {
    from: R,
    bases: B,
    base: Option<Open>,
    restorer: Rewriter,
    ready: Cursor<Vec<u8>>,
    /// Kept so that its memory is.
    plain: Vec<u8>,
}

/// The base of the path that is being received.
struct Open {
    number: u32,
    archive: Archive,
    references: References,
}

impl<R: Read, B: Bases> Decoder<R, B> {
    /// Begins a stream.
    pub fn new(from: R, bases: B) -> Self {
        let (restorer, ready, plain) = Default::default();
        Self { from, bases, base: None, restorer, ready, plain }
    }

    /// Handles the next token. `false` at the end.
    fn step(&mut self) -> io::Result<bool> {
        let Some(token) = Token::read(&mut self.from)? else {
            let is_between = self.base.is_none();
            return if is_between { Ok(false) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        };
        match token {
            Token::Plain(bytes) => {
                self.end_path();
                self.ready.get_mut().extend_from_slice(&bytes);
            }
            Token::Framed(bytes) => {
                self.end_path();
                frame(&bytes, self.ready.get_mut());
            }
            Token::Wanted(paths) => self.bases.wanted(paths)?,
            Token::Ask(number) => self.bases.ask(number)?,
            Token::Forget(number) => self.bases.forget(number),
            Token::Path { number, path, references } => {
                self.end_path();
                let (archive, of_base) = self.bases.open(number).inspect_err(|error| {
                    self.bases.damaged(number, &error.to_string());
                })?;
                self.base = Some(Open { number, archive, references: of_base });
                self.restorer = References::of(&path, &references).restorer();
            }
            Token::Text(bytes) => self.restore(&bytes),
            Token::Copy(copied) => self.copy(copied)?,
        }
        Ok(true)
    }

    fn copy(&mut self, copied: Copied) -> io::Result<()> {
        let Some(Open { number, archive, references }) = &mut self.base else {
            return Err(wrong("a copy without a base"));
        };
        let read = read_plain(archive, references, copied);
        let checked = read.and_then(|bytes| match chunks::hash(&bytes) == copied.hash {
            true => Ok(bytes),
            false => Err(io::Error::other("its contents are not those that its index names")),
        });
        match checked {
            Ok(bytes) => {
                self.restore(&bytes);
                Ok(())
            }
            Err(error) => {
                self.bases.damaged(*number, &error.to_string());
                Err(error)
            }
        }
    }

    fn restore(&mut self, bytes: &[u8]) {
        self.plain.clear();
        self.restorer.push(bytes, &mut self.plain);
        frame(&self.plain, self.ready.get_mut());
    }

    /// What the restorer held back is no reference.
    fn end_path(&mut self) {
        self.plain.clear();
        self.restorer.flush(&mut self.plain);
        frame(&self.plain, self.ready.get_mut());
        self.base = None;
    }
}

/// Reads a part of a base's stream without references. A reference may begin before the part or end
/// behind it.
fn read_plain(
    archive: &mut Archive,
    references: &References,
    copied: Copied,
) -> io::Result<Vec<u8>> {
    let Copied { offset, length, .. } = copied;
    if length > RUN {
        return Err(wrong("a copy is too long"));
    }
    let around = HASH as u64 - 1;
    let begin = offset.saturating_sub(around);
    let end = offset.checked_add(u64::from(length)).filter(|end| *end <= archive.length());
    let end = end.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let with_more = end.saturating_add(around).min(archive.length());
    let mut bytes = vec![0; (with_more - begin) as usize];
    archive.read_at(begin, &mut bytes)?;
    let mut plain = Vec::with_capacity(bytes.len());
    let mut remover = references.remover();
    remover.push(&bytes, &mut plain);
    remover.flush(&mut plain);
    let from = (offset - begin) as usize;
    plain.truncate(from + length as usize);
    plain.drain(..from);
    Ok(plain)
}

/// An empty frame would be the end of all.
fn frame(bytes: &[u8], to: &mut Vec<u8>) {
    if !bytes.is_empty() {
        to.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        to.extend_from_slice(bytes);
    }
}

impl<R: Read, B: Bases> Read for Decoder<R, B> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(to)?;
            if read > 0 || to.is_empty() {
                return Ok(read);
            }
            self.ready.get_mut().clear();
            self.ready.set_position(0);
            if !self.step()? {
                return Ok(0);
            }
        }
    }
}
