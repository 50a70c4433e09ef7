//! Nix's messages as tokens of the delta.
//!
//! Each value is read and sent on as it is, but for the archives of paths whose base the machine
//! has. What is no message of a push is sent on without being read; the agent refuses it.

use std::io;

use deploy_delta::{
    bytes::MOST,
    operations::{NUMBERS, Part, SET_OPTIONS, parts},
    token::Token,
};
use deploy_wire::store_path::StorePath;
use tokio::io::AsyncRead;

use super::{line::MachineLine, nix_stream::NixStream};

/// The longest string that is looked into. Longer ones are only sent on.
const LONG: u64 = 4096;

/// The most bytes of one kind that are kept before they become a token.
const KEPT: usize = 64 << 10;

/// The end of Nix's messages, in the middle of one or not.
#[derive(Debug)]
pub struct NixEnded;

/// What a read returns where Nix may have ended.
pub type ReadResult<T> = io::Result<Result<T, NixEnded>>;

/// Returns where Nix has ended.
macro_rules! some {
    ($read:expr) => {
        match $read {
            Ok(value) => value,
            Err(ended) => return Ok(Err(ended)),
        }
    };
}
pub(super) use some;

/// Reads Nix's values, and makes tokens of them.
pub struct Messages<'a, R> {
    nix: NixStream<R>,
    /// The line to the machine.
    pub line: MachineLine<'a>,
    /// Tokens that are not on the line yet.
    pub tokens: Vec<u8>,
    /// Bytes that are not tokens yet.
    kept: Vec<u8>,
    frames: Frames,
}

/// Where Nix's messages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frames {
    Outside,
    /// Within a frame of which so many bytes are left.
    Within(u64),
    /// Behind the last frame.
    Behind,
    /// Nix ended before the last frame.
    Broken,
}

impl<'a, R: AsyncRead + Unpin> Messages<'a, R> {
    /// Begins behind Nix's greeting.
    pub fn new(nix: NixStream<R>, line: MachineLine<'a>) -> Self {
        let (tokens, kept) = Default::default();
        Self { nix, line, tokens, kept, frames: Frames::Outside }
    }

    /// Reads what follows the greeting.
    pub async fn greeted(&mut self) -> ReadResult<()> {
        // A CPU to run on, and whether to reserve space.
        if some!(self.number().await?) != 0 {
            some!(self.number().await?);
        }
        some!(self.number().await?);
        Ok(Ok(()))
    }

    /// Sends an operation on whose values have no meaning for the delta.
    pub async fn pass(&mut self, operation: u64) -> ReadResult<()> {
        if operation == SET_OPTIONS {
            for _ in 0..NUMBERS {
                some!(self.number().await?);
            }
            for _ in 0..some!(self.number().await?) {
                some!(self.string().await?);
                some!(self.string().await?);
            }
            return Ok(Ok(()));
        }
        let Some(parts) = parts(operation) else { return self.rest().await };
        for part in parts {
            match part {
                Part::Number => drop(some!(self.number().await?)),
                Part::String => drop(some!(self.string().await?)),
                Part::Strings => drop(some!(self.strings().await?)),
                Part::Frames => self.frames().await?,
            }
        }
        Ok(Ok(()))
    }

    /// Sends a number on.
    pub async fn number(&mut self) -> ReadResult<u64> {
        let mut bytes = [0; 8];
        let mut length = 0;
        while length < bytes.len() {
            let piece = self.take(bytes.len() - length).await?;
            if piece.is_empty() {
                return Ok(Err(NixEnded));
            }
            bytes[length..length + piece.len()].copy_from_slice(piece);
            length += piece.len();
        }
        self.keep(&bytes).await?;
        Ok(Ok(u64::from_le_bytes(bytes)))
    }

    /// Sends a string on. A long one is empty here.
    pub async fn string(&mut self) -> ReadResult<String> {
        let length = some!(self.number().await?);
        let mut bytes = Vec::new();
        let mut left = length.next_multiple_of(8);
        while left > 0 {
            let piece = self.take(usize::try_from(left).unwrap_or(usize::MAX)).await?.to_vec();
            if piece.is_empty() {
                return Ok(Err(NixEnded));
            }
            left -= piece.len() as u64;
            self.keep(&piece).await?;
            if length <= LONG {
                bytes.extend_from_slice(&piece);
            }
        }
        bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(Ok(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Sends a list of strings on. What is no store path is left out of the returned list.
    pub async fn strings(&mut self) -> ReadResult<Vec<StorePath>> {
        let mut paths = Vec::new();
        for _ in 0..some!(self.number().await?) {
            paths.extend(StorePath::parse(&some!(self.string().await?)).ok());
        }
        Ok(Ok(paths))
    }

    /// What follows is in frames, which [`Self::frames`] ends.
    pub fn begin_frames(&mut self) {
        self.tokenize();
        self.frames = Frames::Within(0);
    }

    /// Sends all frames on that are left, and their end.
    pub async fn frames(&mut self) -> io::Result<()> {
        if self.frames == Frames::Outside {
            self.begin_frames();
        }
        loop {
            let piece = self.take(KEPT).await?.to_vec();
            if piece.is_empty() {
                break;
            }
            self.keep(&piece).await?;
        }
        self.tokenize();
        let is_whole = self.frames == Frames::Behind;
        self.frames = Frames::Outside;
        if is_whole { self.keep(&0_u64.to_le_bytes()).await } else { Ok(()) }
    }

    /// Sends everything on.
    async fn rest(&mut self) -> ReadResult<()> {
        loop {
            let piece = self.take(KEPT).await?.to_vec();
            if piece.is_empty() {
                return Ok(Err(NixEnded));
            }
            self.keep(&piece).await?;
        }
    }

    /// Takes bytes of this message; nothing at its end.
    pub async fn take(&mut self, most: usize) -> io::Result<&[u8]> {
        if self.frames == Frames::Within(0) {
            self.next_frame().await?;
        }
        let most = match self.frames {
            Frames::Outside => most,
            Frames::Within(left) => most.min(usize::try_from(left).unwrap_or(usize::MAX)),
            Frames::Behind | Frames::Broken => return Ok(&[]),
        };
        self.wait().await?;
        let taken = self.nix.take(most);
        if let Frames::Within(left) = &mut self.frames {
            *left -= taken.len() as u64;
            if taken.is_empty() {
                self.frames = Frames::Broken;
            }
        }
        Ok(taken)
    }

    async fn next_frame(&mut self) -> io::Result<()> {
        let mut length = [0; 8];
        for byte in &mut length {
            self.wait().await?;
            let Some(read) = self.nix.take(1).first() else {
                self.frames = Frames::Broken;
                return Ok(());
            };
            *byte = *read;
        }
        let length = u64::from_le_bytes(length);
        self.frames = if length > 0 { Frames::Within(length) } else { Frames::Behind };
        Ok(())
    }

    /// Waits for bytes of Nix, once all before them is on the line.
    async fn wait(&mut self) -> io::Result<()> {
        if self.nix.is_empty() {
            self.send().await?;
            self.nix.fill(&mut self.line).await?;
        }
        Ok(())
    }

    /// Keeps bytes that are sent as they are.
    pub async fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.kept.extend_from_slice(bytes);
        if self.kept.len() >= KEPT {
            self.send().await?;
        }
        Ok(())
    }

    /// Puts everything on the line.
    pub async fn send(&mut self) -> io::Result<()> {
        self.tokenize();
        if self.tokens.is_empty() {
            return Ok(());
        }
        self.line.add(&self.tokens).await?;
        self.tokens.clear();
        Ok(())
    }

    /// Makes tokens of what was kept.
    pub fn tokenize(&mut self) {
        for piece in self.kept.chunks(MOST) {
            let piece = piece.to_vec();
            let is_framed = self.frames != Frames::Outside;
            let token = if is_framed { Token::Framed(piece) } else { Token::Plain(piece) };
            token.write(&mut self.tokens);
        }
        self.kept.clear();
    }
}
